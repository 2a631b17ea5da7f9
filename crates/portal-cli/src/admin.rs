//! `portal admin`: custodians, API keys and the audit, by whoever has the service's data folder.

mod audit;
mod custody;

use std::{
    path::{self, Path, PathBuf},
    time::Duration,
};

use backup_core::{ClientId, CustodianId, EncryptionContext};
use clap::{Args, Subcommand};
use portal_server::{
    admin::Admin,
    clock::{Clock, SystemClock},
    store::{KeyOwner, KeyRow, WebhookRow},
};
use serde_json::{Value, json};

use crate::{
    date, duration,
    failure::{Failure, exit_codes},
    output::{Answer, Output},
    secret_file,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The businesses whose users have wallets
    #[command(subcommand, after_help = concat!(
        "Example:\n  portal admin custodians --help\n\n", exit_codes!()
    ))]
    Custodians(Custodians),
    /// The users of a custodian
    #[command(subcommand, after_help = concat!(
        "Example:\n  portal admin clients --help\n\n", exit_codes!()
    ))]
    Clients(Clients),
    /// The webhooks of custodians that keep their halves themselves
    #[command(subcommand, after_help = concat!(
        "Example:\n  portal admin webhooks --help\n\n", exit_codes!()
    ))]
    Webhooks(Webhooks),
    /// The record of every access to a custodian's half
    #[command(subcommand, after_help = concat!(
        "Example:\n  portal admin audit --help\n\n", exit_codes!()
    ))]
    Audit(audit::Command),
    /// The keys that shares are sealed under
    #[command(subcommand, after_help = concat!(
        "Example:\n  portal admin custody --help\n\n", exit_codes!()
    ))]
    Custody(custody::Command),
    /// The API keys of custodians and of their clients
    #[command(subcommand, after_help = concat!(
        "Example:\n  portal admin keys --help\n\n", exit_codes!()
    ))]
    Keys(Keys),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Custodians {
    /// Makes a custodian, and its first API key
    #[command(after_help = concat!(
        "Example:\n  portal admin custodians create --data portal-data --key-file acme.key\n\n",
        exit_codes!()
    ))]
    Create(CreateCustodian),
    /// Says what people call a custodian: its apps are told so, and its id stays
    #[command(after_help = concat!(
        "Example:\n  portal admin custodians name --data portal-data \\\n      \
         --custodian ID 'Acme Bank'\n\n",
        exit_codes!()
    ))]
    Name(NameCustodian),
    /// Lists all custodians
    #[command(after_help = concat!(
        "Example:\n  portal admin custodians list --data portal-data\n\n", exit_codes!()
    ))]
    List(DataFolder),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Clients {
    /// Lists the clients of a custodian
    #[command(after_help = concat!(
        "Example:\n  portal admin clients list --data portal-data --custodian ID\n\n",
        exit_codes!()
    ))]
    List(ListClients),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Webhooks {
    /// Lists all webhooks, and how it stands with them
    #[command(after_help = concat!(
        "Example:\n  portal admin webhooks list --data portal-data\n\n", exit_codes!()
    ))]
    List(DataFolder),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Makes an API key, beside those that a custodian or a client has
    ///
    /// To change a key without a gap: make a new one, put it where the old one is used, see that it
    /// works, and revoke the old one.
    #[command(after_help = concat!(
        "Examples:\n  portal admin keys create --data portal-data --custodian ID \
         --key-file new.key\n  \
         portal admin keys create --data portal-data --custodian ID --client ID \\\n      \
         --expires-in 90d --key-file new.key\n\n",
        exit_codes!()
    ))]
    Create(CreateKey),
    /// Lists the keys of a custodian or a client, and those that are over too
    #[command(after_help = concat!(
        "Example:\n  portal admin keys list --data portal-data --custodian ID\n\n", exit_codes!()
    ))]
    List(ListKeys),
    /// Revokes an API key: no request that comes with it is answered any more
    ///
    /// Session tokens that came by it are over, too.
    #[command(after_help = concat!(
        "Example:\n  portal admin keys revoke --data portal-data KEY\n\n", exit_codes!()
    ))]
    Revoke(RevokeKey),
}

#[derive(Args, Debug)]
pub(crate) struct DataFolder {
    /// The folder of the service, which may be running
    #[arg(long, value_name = "DIR", env = "PORTAL_SERVE_DATA")]
    data: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Owner {
    /// The custodian
    #[arg(long, value_name = "ID")]
    custodian: CustodianId,
    /// A client of it; without one, the keys are the custodian's own
    #[arg(long, value_name = "ID")]
    client: Option<ClientId>,
}

#[derive(Args, Debug)]
pub(crate) struct CreateCustodian {
    #[command(flatten)]
    at: DataFolder,
    /// The file to write its key to; there must be none
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct NameCustodian {
    #[command(flatten)]
    at: DataFolder,
    /// The custodian
    #[arg(long, value_name = "ID")]
    custodian: CustodianId,
    /// Its name: 1 to 100 characters
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Args, Debug)]
pub(crate) struct ListClients {
    #[command(flatten)]
    at: DataFolder,
    /// The custodian
    #[arg(long, value_name = "ID")]
    custodian: CustodianId,
}

#[derive(Args, Debug)]
pub(crate) struct CreateKey {
    #[command(flatten)]
    at: DataFolder,
    #[command(flatten)]
    owner: Owner,
    /// For how long it is in force; without this, until it is revoked
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    expires_in: Option<Duration>,
    /// The file to write the key to; there must be none
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct ListKeys {
    #[command(flatten)]
    at: DataFolder,
    #[command(flatten)]
    owner: Owner,
}

#[derive(Args, Debug)]
pub(crate) struct RevokeKey {
    #[command(flatten)]
    at: DataFolder,
    /// The key's id, as `portal admin keys list` shows it: not the key itself
    #[arg(value_name = "KEY")]
    key: String,
}

pub(crate) async fn run(command: Command, output: Output) -> Result<Answer, Failure> {
    match command {
        Command::Custodians(Custodians::Create(create)) => create_custodian(create).await,
        Command::Custodians(Custodians::Name(name)) => name_custodian(name).await,
        Command::Custodians(Custodians::List(at)) => list_custodians(at).await,
        Command::Clients(Clients::List(list)) => list_clients(list).await,
        Command::Audit(command) => audit::run(command).await,
        Command::Webhooks(Webhooks::List(at)) => list_webhooks(at).await,
        Command::Custody(command) => custody::run(command, output).await,
        Command::Keys(Keys::Create(create)) => create_key(create).await,
        Command::Keys(Keys::List(list)) => list_keys(list).await,
        Command::Keys(Keys::Revoke(revoke)) => revoke_key(revoke).await,
    }
}

impl DataFolder {
    async fn open(self) -> Result<Admin, Failure> {
        Ok(Admin::open(&self.data).await?)
    }
}

impl Owner {
    fn named(self) -> KeyOwner {
        match self.client {
            Some(client) => KeyOwner::Client(EncryptionContext::new(self.custodian, client)),
            None => KeyOwner::Custodian(self.custodian),
        }
    }
}

async fn create_custodian(create: CreateCustodian) -> Result<Answer, Failure> {
    let key_file = vacant(&create.key_file)?;
    let admin = create.at.open().await?;
    let (id, key) = admin.create_custodian().await?;
    secret_file::create(&key_file, key.expose())?;
    Ok(Answer {
        text: format!("Custodian  {id}\nKey file   {}", key_file.display()),
        json: json!({ "custodian": id.as_str(), "keyFile": key_file.to_string_lossy() }),
    })
}

async fn name_custodian(wish: NameCustodian) -> Result<Answer, Failure> {
    let NameCustodian { at, custodian, name } = wish;
    at.open().await?.name_custodian(&custodian, &name).await?;
    Ok(Answer {
        text: format!("{custodian} is called {name}."),
        json: json!({ "custodian": custodian.as_str(), "name": name }),
    })
}

async fn list_custodians(at: DataFolder) -> Result<Answer, Failure> {
    let custodians = at.open().await?.custodians().await?;
    Ok(ids("custodians", custodians.iter().map(CustodianId::as_str)))
}

async fn list_clients(ListClients { at, custodian }: ListClients) -> Result<Answer, Failure> {
    let clients = at.open().await?.clients(&custodian).await?;
    Ok(ids("clients", clients.iter().map(ClientId::as_str)))
}

async fn list_webhooks(at: DataFolder) -> Result<Answer, Failure> {
    let webhooks = at.open().await?.webhooks().await?;
    let lines: Vec<_> = webhooks.iter().map(|(id, webhook)| webhook_line(id, webhook)).collect();
    let values: Vec<_> = webhooks.iter().map(|(id, webhook)| webhook_value(id, webhook)).collect();
    Ok(Answer { text: lines.join("\n"), json: json!({ "webhooks": values }) })
}

async fn create_key(create: CreateKey) -> Result<Answer, Failure> {
    let key_file = vacant(&create.key_file)?;
    let admin = create.at.open().await?;
    let seconds = create.expires_in.map(|time| time.as_secs());
    let (id, key) = admin.create_key(&create.owner.named(), seconds).await?;
    if let Err(failure) = secret_file::create(&key_file, key.expose()) {
        admin.revoke_key(&id).await?;
        return Err(failure);
    }
    Ok(Answer {
        text: format!("Key       {id}\nKey file  {}", key_file.display()),
        json: json!({ "key": id, "keyFile": key_file.to_string_lossy() }),
    })
}

async fn list_keys(list: ListKeys) -> Result<Answer, Failure> {
    let keys = list.at.open().await?.keys(&list.owner.named()).await?;
    let now = SystemClock.now();
    let lines: Vec<_> = keys.iter().map(|key| line(key, now)).collect();
    let values: Vec<_> = keys.iter().map(|key| value(key, now)).collect();
    Ok(Answer { text: lines.join("\n"), json: json!({ "keys": values }) })
}

async fn revoke_key(RevokeKey { at, key }: RevokeKey) -> Result<Answer, Failure> {
    at.open().await?.revoke_key(&key).await?;
    Ok(Answer { text: format!("{key} is revoked."), json: json!({ "revoked": key }) })
}

fn ids<'a>(what: &str, ids: impl Iterator<Item = &'a str>) -> Answer {
    let ids: Vec<_> = ids.collect();
    Answer { text: ids.join("\n"), json: json!({ what: ids }) }
}

fn line(key: &KeyRow, now: u64) -> String {
    let ends = match key.ends_at {
        Some(at) if key.is_over(now) => format!("over since {}", date::as_text(at)),
        Some(at) => format!("until {}", date::as_text(at)),
        None => "until it is revoked".to_owned(),
    };
    format!("{}  made {}  {ends}", key.id, date::as_text(key.created_at))
}

fn value(key: &KeyRow, now: u64) -> Value {
    json!({
        "key": key.id,
        "createdAt": key.created_at,
        "endsAt": key.ends_at,
        "inForce": !key.is_over(now),
    })
}

fn webhook_line(custodian: &CustodianId, WebhookRow { url, health, .. }: &WebhookRow) -> String {
    let worked = health.succeeded_at.map(date::as_text).unwrap_or_default();
    let failed = match (health.failed_at, &health.failure) {
        (Some(at), Some(why)) => format!("; failed {}: {why}", date::as_text(at)),
        _ => String::new(),
    };
    format!("{custodian}  {url}  worked {worked}{failed}")
}

fn webhook_value(custodian: &CustodianId, WebhookRow { url, health, .. }: &WebhookRow) -> Value {
    json!({
        "custodian": custodian.as_str(),
        "url": url,
        "lastSuccessAt": health.succeeded_at,
        "lastFailureAt": health.failed_at,
        "lastFailure": health.failure,
    })
}

/// Where a key is to be written: one that cannot be must not be made.
fn vacant(path: &Path) -> Result<PathBuf, Failure> {
    let path = path::absolute(path).map_err(|error| Failure::of_file("write", path, &error))?;
    if path.exists() {
        let message = format!("{} is there already; name a new file", path.display());
        return Err(Failure::failed(message));
    }
    Ok(path)
}
