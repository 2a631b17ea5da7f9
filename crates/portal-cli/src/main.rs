//! The `portal` command.

mod address;
mod admin;
mod backup;
mod backups;
mod bounded_file;
#[cfg(any(feature = "gdrive", feature = "icloud", feature = "passkey"))]
mod browser;
mod client;
#[cfg(any(feature = "gdrive", feature = "icloud"))]
mod cloud;
mod config;
mod curve;
mod date;
mod demo;
mod durable;
mod duration;
mod eject;
mod envelope;
mod failure;
mod generate;
#[cfg(feature = "gdrive")]
mod google;
#[cfg(feature = "icloud")]
mod icloud;
#[cfg(any(feature = "gdrive", feature = "icloud", feature = "passkey"))]
mod kept;
#[cfg(feature = "keychain")]
mod keychain;
mod notices;
mod opening;
mod output;
#[cfg(feature = "passkey")]
mod passkey;
mod password;
mod profile;
mod progress;
mod recover;
mod secret_file;
mod serve;
mod set;
mod settings;
mod short;
mod signals;
mod status;
mod wallet;

#[cfg(target_env = "msvc")]
use std::alloc::System as Allocator;
use std::{borrow::Cow, env, process::ExitCode};

use clap::{Parser, Subcommand, error::ErrorKind};
#[cfg(not(target_env = "msvc"))]
use tikv_jemallocator::Jemalloc as Allocator;
use tokio::runtime::Runtime;
use zeroizing_alloc::ZeroAlloc;

use crate::{
    failure::{Failure, Kind, exit_codes},
    output::{Answer, Output},
    signals::Signals,
};

/// Erases what is freed. Libraries between socket and handler hold API keys and messages of
/// sessions in buffers of their own, and free them as they are.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<Allocator> = ZeroAlloc(Allocator);

/// Wallets whose key is in no single place, their backups, and the service behind both
///
/// The private key of such a wallet exists as two halves: one on your device and one at a service.
/// Both must take part to sign, and neither is of use alone. A backup is a second pair of halves:
/// one encrypted under your password, one kept by a custodian. It brings the wallet back when the
/// device is lost.
#[derive(Debug, Parser)]
#[command(name = "portal", version, max_term_width = 100, after_help = concat!(
    "Examples:
  portal demo                       see all of it work, with nothing to set up

  portal serve --data portal-data   run a service, in another terminal
  portal client new --service http://127.0.0.1:8080 --custodian-key-file FILE
  portal wallet create              make a wallet
  portal backup                     back it up
  portal recover                    bring it back, on another device

",
    exit_codes!()
))]
struct Cli {
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a wallet, backs it up, loses the device, and brings the wallet back
    ///
    /// It starts a service of its own on a free port, works in a temporary folder, asks nothing and
    /// leaves nothing behind. It succeeds only if every check on the way did; the signatures are
    /// verified with nothing but the wallet's addresses.
    #[command(after_help = concat!("Example:\n  portal demo\n\n", exit_codes!()))]
    Demo,
    /// Runs the service: the other half of every wallet, and the keeper of its backups
    ///
    /// It prints one line when it is ready, and ends on Ctrl-C or SIGTERM when it has answered what
    /// it was asked. It speaks HTTP, not HTTPS: put a proxy that does in front of it before anybody
    /// else reaches it.
    ///
    /// What is set by a flag here can be set by a line of a file too, `listen = "127.0.0.1:8080"`,
    /// or by a variable of the environment, PORTAL_SERVE_LISTEN; that of `log` is PORTAL_LOG.
    /// A variable is above the file, and a flag above both.
    #[command(after_help = concat!(
        "Examples:\n  portal serve --data portal-data\n  portal serve --config portal.toml\n  \
         portal serve --data portal-data --listen 127.0.0.1:0 --json\n\n",
        exit_codes!()
    ))]
    Serve(serve::Serve),
    /// Checks and shows the settings of a service, and starts none
    #[command(subcommand, after_help = concat!(
        "Example:\n  portal config check portal.toml\n\n", exit_codes!()
    ))]
    Config(config::Command),
    /// Custodians and API keys, by whoever has the folder of a service
    ///
    /// The service may be running: it sees each change with its next request.
    #[command(subcommand, after_help = concat!(
        "Example:\n  portal admin keys --help\n\n", exit_codes!()
    ))]
    Admin(admin::Command),
    /// Makes clients, which are the users of an app, and takes one to a new device
    #[command(subcommand, after_help = concat!(
        "Example:\n  portal client new --help\n\n", exit_codes!()
    ))]
    Client(client::Command),
    /// Makes a wallet, shows it, and signs with it
    #[command(subcommand, after_help = concat!(
        "Example:\n  portal wallet create\n\n", exit_codes!()
    ))]
    Wallet(wallet::Command),
    /// Backs the wallet up
    ///
    /// The first time you choose a password, and enter it once more to try the backup out. After
    /// that the device adds backups under the same password without asking for it; it cannot open
    /// them. Earlier backups stay until newer ones that work have been there for a while.
    #[command(after_help = concat!(
        "Examples:\n  portal backup\n  portal backup --enroll-anew\n  portal backup \
         --password-file password.txt\n\n",
        exit_codes!()
    ))]
    Backup(backup::Backup),
    /// Lists the wallet's backups, and removes those that newer ones have superseded
    #[command(subcommand, after_help = concat!(
        "Example:\n  portal backups list\n\n", exit_codes!()
    ))]
    Backups(backups::Command),
    /// Signs you in to Google, for backups in your Drive
    #[cfg(feature = "gdrive")]
    #[command(subcommand, after_help = concat!(
        "Example:\n  portal google sign-in --client-file client_secret.json\n\n", exit_codes!()
    ))]
    Google(google::Command),
    /// Signs you in to iCloud, for backups in the private database that this app has there
    #[cfg(feature = "icloud")]
    #[command(name = "icloud", subcommand, after_help = concat!(
        "Example:\n  portal icloud sign-in --help\n\n", exit_codes!()
    ))]
    ICloud(icloud::Command),
    /// Says where you are asked for passkeys, and which ones open your backups
    #[cfg(feature = "passkey")]
    #[command(subcommand, after_help = concat!(
        "Example:\n  portal passkey set-up\n\n", exit_codes!()
    ))]
    Passkey(passkey::Command),
    /// Brings the wallet back on a new device
    ///
    /// It needs a profile for the same client, made with `portal client import`. Afterwards this
    /// device signs, and the device that did before does not any more. The addresses stay the same.
    #[command(after_help = concat!(
        "Examples:\n  portal recover\n  portal recover --expect \
         0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F\n  portal recover --password-file \
         password.txt\n\n",
        exit_codes!()
    ))]
    Recover(recover::Recover),
    /// Brings the wallet's private keys together, and writes them to a file
    ///
    /// Until then no whole key is anywhere; afterwards whoever has the file has the wallet. So the
    /// business that keeps the other half of your backups has to allow it first, for a while: with
    /// `portal client enable-eject`. Nothing is deleted: the wallet signs and recovers as before.
    #[command(after_help = concat!(
        "Example:\n  portal eject --yes --to private-keys.txt\n\n", exit_codes!()
    ))]
    Eject(eject::Eject),
    /// Shows what there is of the wallet: on this device, at the service, and as backups
    #[command(after_help = concat!(
        "Examples:\n  portal status\n  portal status --json\n\n", exit_codes!()
    ))]
    Status(status::Status),
    /// Looks into the encrypted envelopes that backups are
    #[command(subcommand, after_help = concat!(
        "Example:\n  portal envelope inspect backup.txt\n\n", exit_codes!()
    ))]
    Envelope(envelope::Command),
    /// Prints what a shell needs to complete these commands
    #[command(after_help = concat!(
        "Example:\n  portal completions bash > \
         ~/.local/share/bash-completion/completions/portal\n\n",
        exit_codes!()
    ))]
    Completions(generate::Completions),
    /// Prints the page of a manual, in roff
    #[command(after_help = concat!(
        "Examples:\n  portal man > portal.1\n  portal man backup revoke > \
         portal-backup-revoke.1\n\n",
        exit_codes!()
    ))]
    Man(generate::Man),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_run(&error),
    };
    let output = cli.output;
    match run(cli.command, output) {
        Ok(answer) => {
            answer.iter().for_each(|answer| output.answer(answer));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            output.failure(&failure);
            failure.exit_code()
        }
    }
}

/// `None` if all was said already.
fn run(command: Command, output: Output) -> Result<Option<Answer>, Failure> {
    let runtime = Runtime::new()
        .map_err(|error| Failure::failed(format!("cannot start threads: {error}")))?;
    let outcome = runtime.block_on(answer(command, output));
    // A thread may still wait for the terminal; nothing that counts is left to do.
    runtime.shutdown_background();
    outcome
}

async fn answer(command: Command, output: Output) -> Result<Option<Answer>, Failure> {
    let mut signals = Signals::listen()?;
    match command {
        Command::Serve(serve) => serve::run(serve, output, signals).await.map(|()| None),
        Command::Demo => demo::run(output, signals).await.map(Some),
        short => signals.unless_interrupted(short_answer(short, output)).await.map(Some),
    }
}

/// Of those that end by themselves, and may be dropped at any point.
async fn short_answer(command: Command, output: Output) -> Result<Answer, Failure> {
    match command {
        Command::Config(command) => config::run(command),
        Command::Admin(command) => admin::run(command, output).await,
        Command::Completions(completions) => generate::completions(&completions),
        Command::Man(man) => generate::man(&man),
        Command::Client(command) => client::run(command).await,
        Command::Wallet(command) => wallet::run(command, output).await,
        Command::Backup(backup) => backup::run(backup, output).await,
        Command::Backups(command) => backups::run(command, output).await,
        #[cfg(feature = "gdrive")]
        Command::Google(command) => google::run(command).await,
        #[cfg(feature = "icloud")]
        Command::ICloud(command) => icloud::run(command).await,
        #[cfg(feature = "passkey")]
        Command::Passkey(command) => passkey::run(command).await,
        Command::Recover(recover) => recover::run(recover, output).await,
        Command::Eject(eject) => eject::run(eject, output).await,
        Command::Status(status) => status::run(status).await,
        Command::Envelope(command) => envelope::run(&command),
        Command::Demo | Command::Serve(_) => unreachable!("they are run above"),
    }
}

/// Shows help, or says what is wrong with the command line.
fn not_run(error: &clap::Error) -> ExitCode {
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let message = error.render().to_string();
    if is_help || !env::args_os().any(|argument| argument == "--json") {
        match short::lines(&message) {
            Cow::Owned(short) if !is_help => output::say(&short),
            // It says what it was given, and may be in colour if that is text.
            _ if output::printable(&message) != message => output::say(&message),
            // Whoever no longer reads has not asked for it.
            _ => drop(error.print()),
        }
        return ExitCode::from(if is_help { 0 } else { 2 });
    }
    let failure = Failure::new(Kind::Usage, message.trim().trim_start_matches("error: "));
    Output { json: true, quiet: false }.failure(&failure);
    failure.exit_code()
}
