//! `portal client`: who a device speaks for.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use backup_core::{ClientId, CustodianId, EncryptionContext};
use clap::{Args, Subcommand};
use portal_client::custodian;
use serde_json::json;

use crate::{
    curve::CurveName,
    date, duration,
    failure::{Failure, exit_codes},
    output::Answer,
    profile::{DeviceKeyAt, Profile, ProfileAt},
    secret_file,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a new client at a service, and a profile for it on this device
    ///
    /// A client is one user, with one wallet per curve. Only the business that runs an app, called
    /// the custodian, can make one: it takes the custodian's key, which `portal serve` writes to a
    /// file when it first starts.
    #[command(after_help = concat!(
        "Example:\n  portal client new --service http://127.0.0.1:8080 \\\n      \
         --custodian-key-file portal-data/custodian.key\n\n",
        exit_codes!()
    ))]
    New(New),
    /// Makes a profile on a new device for a client that exists
    ///
    /// The ids are those that `portal client new` printed and `portal status` prints. The key is in
    /// the file `api-key` of the old profile; in an app, the business gives it to the new device.
    /// Then run `portal recover`.
    #[command(after_help = concat!(
        "Example:\n  portal client import --service http://127.0.0.1:8080 --custodian ID --client ID \
         \\\n      --api-key-file api-key\n  portal recover\n\n",
        exit_codes!()
    ))]
    Import(Import),
    /// Lets a client eject its wallet for a while: bring the private key into one place
    ///
    /// Only the custodian can, and should know who asks for it: whoever can open a backup of the
    /// client then gets the private key. Until the time is over, `portal eject` works.
    #[command(after_help = concat!(
        "Example:\n  portal client enable-eject --service http://127.0.0.1:8080 \\\n      \
         --custodian-key-file portal-data/custodian.key --client ID --for 10m\n\n",
        exit_codes!()
    ))]
    EnableEject(EnableEject),
}

#[derive(Args, Debug)]
pub(crate) struct New {
    /// The address of the service
    #[arg(long, value_name = "URL")]
    service: String,
    /// The file with the custodian's key (`-`: standard input)
    #[arg(long, value_name = "FILE")]
    custodian_key_file: PathBuf,
    #[command(flatten)]
    device_key: DeviceKeyAt,
    #[command(flatten)]
    profile: ProfileAt,
}

#[derive(Args, Debug)]
pub(crate) struct Import {
    /// The address of the service
    #[arg(long, value_name = "URL")]
    service: String,
    /// The business's id
    #[arg(long, value_name = "ID")]
    custodian: CustodianId,
    /// The client's id
    #[arg(long, value_name = "ID")]
    client: ClientId,
    /// The file with the client's API key (`-`: standard input)
    #[arg(long, value_name = "FILE")]
    api_key_file: PathBuf,
    #[command(flatten)]
    device_key: DeviceKeyAt,
    #[command(flatten)]
    profile: ProfileAt,
}

#[derive(Args, Debug)]
pub(crate) struct EnableEject {
    /// The address of the service
    #[arg(long, value_name = "URL")]
    service: String,
    /// The file with the custodian's key (`-`: standard input)
    #[arg(long, value_name = "FILE")]
    custodian_key_file: PathBuf,
    /// The client's id
    #[arg(long, value_name = "ID")]
    client: ClientId,
    /// Of which wallet; of all, unless you say otherwise
    #[arg(long)]
    curve: Option<CurveName>,
    /// For how long, at least a minute: 5m unless you say otherwise
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse)]
    time: Option<Duration>,
}

pub(crate) async fn run(command: Command) -> Result<Answer, Failure> {
    match command {
        Command::New(new) => make(new).await,
        Command::Import(import) => import_client(import).await,
        Command::EnableEject(enable) => enable_eject(enable).await,
    }
}

async fn make(new: New) -> Result<Answer, Failure> {
    let vacant = new.profile.vacant()?;
    let key = secret_file::read_api_key(&new.custodian_key_file)?;
    let (client, api_key) = custodian::create_client(&new.service, &key).await?;
    let profile = vacant.create(&new.service, &client, &api_key, &new.device_key).await?;
    Ok(made(&profile, "Make a wallet with `portal wallet create`."))
}

async fn import_client(import: Import) -> Result<Answer, Failure> {
    let vacant = import.profile.vacant()?;
    let api_key = secret_file::read_api_key(&import.api_key_file)?;
    let client = EncryptionContext::new(import.custodian, import.client);
    let (service, key_at) = (&import.service, &import.device_key);
    let profile = vacant.create(service, &client, &api_key, key_at).await?;
    Ok(made(&profile, "Bring the wallet back with `portal recover`."))
}

async fn enable_eject(enable: EnableEject) -> Result<Answer, Failure> {
    let key = secret_file::read_api_key(&enable.custodian_key_file)?;
    let only = enable.curve.map(CurveName::curve);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let until = enable.time.map(|time| (now + time).as_secs());
    let (service, client) = (&enable.service, &enable.client);
    let allowed = custodian::enable_eject(service, &key, client, only, until).await?;
    let mut text = format!("The client {client} may eject:\n");
    text.extend(allowed.iter().map(|wallet| {
        format!("its {} wallet, until {}\n", wallet.curve, date::as_text(wallet.until))
    }));
    let wallets = allowed
        .iter()
        .map(|wallet| json!({ "curve": wallet.curve.as_str(), "ejectableUntil": wallet.until }));
    let json = json!({ "client": client.as_str(), "wallets": wallets.collect::<Vec<_>>() });
    Ok(Answer { text, json })
}

fn made(profile: &Profile, next: &str) -> Answer {
    let (client, folder) = (profile.client(), profile.folder().display());
    let (custodian, id) = (&client.custodian, &client.client);
    let api_key_file = profile.api_key_file();
    Answer {
        text: format!(
            "Custodian  {custodian}\nClient     {id}\nProfile    {folder}\n\n{next}\n\
             {}\n\
             A new device needs both ids and a copy of {}.",
            profile.who_can_sign(),
            api_key_file.display()
        ),
        json: json!({
            "service": profile.service(),
            "custodian": custodian.as_str(),
            "client": id.as_str(),
            "profile": profile.folder().to_string_lossy(),
            "apiKeyFile": api_key_file.to_string_lossy(),
        }),
    }
}
