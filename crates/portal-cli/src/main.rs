//! The `portal` command.

mod demo;
mod durable;
mod envelope;
mod failure;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;

/// Backs MPC wallets up and brings them back.
#[derive(Debug, Parser)]
#[command(version, after_help = failure::EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Backs a sample wallet up, loses the device, and brings the wallet back
    ///
    /// It works in a temporary folder, asks nothing and needs no network. It succeeds only if every
    /// check on the way did.
    #[command(after_help = failure::EXIT_CODES)]
    Demo,
    /// Looks into the encrypted envelopes that backups are
    #[command(subcommand)]
    Envelope(envelope::Command),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit_code()
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo => demo::run(),
        Command::Envelope(command) => envelope::run(&command),
    }
}
