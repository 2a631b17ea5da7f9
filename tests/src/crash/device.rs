//! A device: the client library as apps use it, one operation per process.

use std::{
    ffi::OsString,
    fs, io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use backup_core::{
    BackupId, ClientId, Curve, CustodianId, DataKey, EncryptionContext, MethodId, Progress,
};
use clap::{Args, Subcommand};
use portal_client::{
    Addresses, ApiKey, BackUpOptions, Curves, Effect as ClientEffect, EjectOptions, Error, Notice,
    Payload, Portal, RecoverOptions, Signature, custodian, device::DeviceStore,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    kept_store::Kept,
    recorder::{Death, Effect, Recorder},
    site::Store,
    storing::Storing,
    told::{Completed, Signatures, Status, Told, Wallets},
    typed_secret::TypedSecret,
};

/// What every device signs, to show that it can.
pub const SIGNED: &[u8] = b"no crash loses a wallet";

/// A device and what it does now.
#[derive(Args, Debug)]
pub struct Device {
    /// The folder of the device.
    #[arg(long)]
    folder: PathBuf,
    /// The folder of the storing method, which is not on the device.
    #[arg(long)]
    keys: PathBuf,
    /// Where the storing method keeps its keys. That folder shows them, wherever they are.
    #[arg(long, value_enum)]
    store: Store,
    /// The file with the client's ids and API key, which the app keeps.
    #[arg(long)]
    client: PathBuf,
    /// The file with the custodian's API key, which the service makes.
    #[arg(long)]
    custodian_key: PathBuf,
    /// Where the service is.
    #[arg(long)]
    service: String,
    /// What the user types, at the first attempt, at the second, and so on.
    #[arg(long, value_delimiter = ',')]
    secrets: Vec<String>,
    /// Make wallets on Ed25519 only.
    #[arg(long)]
    ed25519_only: bool,
    /// How long superseded wrapping keys are kept.
    #[arg(long, default_value_t = 30 * 24 * 60 * 60)]
    grace_seconds: u64,
    /// Where effects are written down.
    #[arg(long)]
    log: PathBuf,
    /// Die before the effect of this number.
    #[arg(long)]
    die_at: Option<usize>,
    /// Die when it is half done, if it is a write.
    #[arg(long)]
    torn: bool,
    #[command(subcommand)]
    act: Act,
}

/// What a device does.
#[derive(Clone, Debug, Eq, PartialEq, Subcommand)]
pub enum Act {
    /// Have the custodian make a client
    Join,
    /// Make a wallet
    Create,
    /// Make a backup
    BackUp {
        /// The method
        method: String,
        /// Enroll the method anew
        #[arg(long)]
        anew: bool,
    },
    /// Bring the wallet here
    Recover {
        /// The method
        method: String,
        /// From this backup
        #[arg(long)]
        backup: Option<String>,
    },
    /// Make a backup that the app's word completes, and say it
    BackUpByNotice {
        /// The method
        method: String,
    },
    /// Have the custodian allow ejecting
    AllowEject,
    /// Bring the private keys together
    Eject {
        /// The method
        method: String,
    },
    /// Destroy the backups of a method
    Revoke {
        /// The method
        method: String,
    },
    /// Sign on every curve
    Sign,
    /// Finish what was interrupted
    Finish,
    /// Say where the client stands
    Status,
}

impl Act {
    /// As this program is called with it.
    #[must_use]
    pub fn words(&self) -> Vec<OsString> {
        match self {
            Self::Join => vec!["join".into()],
            Self::Create => vec!["create".into()],
            Self::BackUp { method, anew } => {
                let mut words = vec!["back-up".into(), method.into()];
                words.extend(anew.then(|| "--anew".into()));
                words
            }
            Self::Recover { method, backup } => {
                let mut words = vec!["recover".into(), method.into()];
                words.extend(backup.iter().flat_map(|id| ["--backup".into(), id.into()]));
                words
            }
            Self::BackUpByNotice { method } => vec!["back-up-by-notice".into(), method.into()],
            Self::AllowEject => vec!["allow-eject".into()],
            Self::Eject { method } => vec!["eject".into(), method.into()],
            Self::Revoke { method } => vec!["revoke".into(), method.into()],
            Self::Sign => vec!["sign".into()],
            Self::Finish => vec!["finish".into()],
            Self::Status => vec!["status".into()],
        }
    }
}

/// Who the client is, as the app keeps it.
#[derive(Deserialize, Serialize)]
struct Client {
    custodian: String,
    client: String,
    api_key: String,
}

/// Does it, and tells the user.
///
/// # Errors
///
/// If the program was called wrongly. What fails for the user is told to the user.
pub fn run(device: &Device) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(device.act())
}

enum Failure {
    OfPortal(Error),
    OfThisProgram(anyhow::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::OfPortal(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::OfThisProgram(error.into())
    }
}

impl From<backup_core::Error> for Failure {
    fn from(error: backup_core::Error) -> Self {
        Self::OfThisProgram(error.into())
    }
}

impl Device {
    async fn act(&self) -> Result<()> {
        if self.act == Act::Join {
            return join(self).await;
        }
        let (portal, kept) = self.portal()?;
        let done = match &self.act {
            Act::Join => Ok(()),
            Act::BackUpByNotice { method } => back_up_by_notice(&portal, method).await,
            Act::AllowEject => return allow_eject(self, &portal).await,
            Act::Eject { method } => eject(&portal, method).await,
            Act::Create => create(&portal).await,
            Act::BackUp { method, anew } => back_up(&portal, method, *anew).await,
            Act::Recover { method, backup } => recover(&portal, method, backup.as_deref()).await,
            Act::Revoke { method } => revoke(&portal, method).await,
            Act::Sign => sign(&portal).await,
            Act::Finish => finish(&portal).await,
            Act::Status => status(&portal).await,
        };
        if let Some(kept) = kept {
            kept.keep()?;
        }
        match done {
            Ok(()) => Ok(()),
            Err(Failure::OfPortal(error)) => Ok(failed(&error).say()?),
            Err(Failure::OfThisProgram(error)) => Err(error),
        }
    }

    /// The app, and what it keeps keys in, if that is not a folder.
    fn portal(&self) -> Result<(Portal, Option<Arc<dyn Kept>>)> {
        let client = fs::read_to_string(&self.client).context("the device has not joined")?;
        let client: Client = serde_json::from_str(&client)?;
        let context = EncryptionContext::new(
            CustodianId::new(client.custodian)?,
            ClientId::new(client.client)?,
        );
        let death = self.die_at.map(|at| Death { at, torn: self.torn });
        let recorder = Arc::new(Recorder::new(&self.log, death)?);
        let Storing { method: stored, kept } =
            Storing::open(self.store, self.keys.clone(), &context, &recorder)?;
        let store = DeviceStore::new(&self.folder, context, DataKey::copied_from(&[7; 32]));
        let at_observer = kept.clone();
        let observer = move |effect: ClientEffect<'_>| {
            at_observer.as_ref().map_or(Ok(()), |kept| kept.keep())?;
            recorder.before(&named(effect))
        };
        let curves = if self.ed25519_only { Curves::ED25519 } else { Curves::BOTH };
        let portal = Portal::builder(&self.service, ApiKey::new(client.api_key)?, store)
            .method(stored)
            .method(Arc::new(TypedSecret::new(self.secrets.clone())))
            .curves(curves)
            .grace(Duration::from_secs(self.grace_seconds))
            .observed_by(Arc::new(observer))
            .build()?;
        Ok((portal, kept))
    }
}

fn named(effect: ClientEffect<'_>) -> Effect {
    match effect {
        ClientEffect::Create(path) => Effect::Create(path.into()),
        ClientEffect::Write(path, bytes) => {
            Effect::Write(path.into(), base16ct::lower::encode_string(bytes))
        }
        ClientEffect::Sync(path) => Effect::Sync(path.into()),
        ClientEffect::Rename(from, to) => Effect::Rename(from.into(), to.into()),
        ClientEffect::Remove(path) => Effect::Remove(path.into()),
        ClientEffect::SyncFolder(path) => Effect::SyncFolder(path.into()),
        ClientEffect::Send { method, path } => Effect::Other(format!("send {method} {path}")),
        ClientEffect::Received { method, path, status } => {
            Effect::Other(format!("received {status} to {method} {path}"))
        }
        other => Effect::Other(format!("{other:?}")),
    }
}

async fn join(device: &Device) -> Result<()> {
    let key = custodian_key(device)?;
    let (context, api_key) = custodian::create_client(&device.service, &key).await?;
    let client = Client {
        custodian: context.custodian.as_str().to_owned(),
        client: context.client.as_str().to_owned(),
        api_key: api_key.expose().to_owned(),
    };
    fs::write(&device.client, serde_json::to_string(&client)?)?;
    Ok(Told::Joined.say()?)
}

fn custodian_key(device: &Device) -> Result<ApiKey> {
    let key = fs::read_to_string(&device.custodian_key).context("there is no custodian's key")?;
    Ok(ApiKey::new(key.trim())?)
}

async fn create(portal: &Portal) -> Result<(), Failure> {
    let addresses = portal.create_wallet(&nobody).await?;
    Ok(Told::Created { wallets: wallets(&addresses) }.say()?)
}

async fn back_up(portal: &Portal, method: &str, anew: bool) -> Result<(), Failure> {
    let method = MethodId::new(method.to_owned())?;
    let options = BackUpOptions { enroll_anew: anew, ..BackUpOptions::default() };
    let done = portal.back_up(&method, &options, &nobody).await?;
    tell(&done.notices)?;
    let (method, backup) = (method.to_string(), done.backup.to_string());
    Ok(Told::BackedUp { method, backup, proved: done.proved }.say()?)
}

async fn back_up_by_notice(portal: &Portal, method: &str) -> Result<(), Failure> {
    let method = MethodId::new(method.to_owned())?;
    let options = BackUpOptions { by_notice: true, ..BackUpOptions::default() };
    let done = portal.back_up(&method, &options, &nobody).await?;
    tell(&done.notices)?;
    portal.stored_client_backup_share(&method, true).await?;
    let (method, backup) = (method.to_string(), done.backup.to_string());
    Ok(Told::BackedUpByNotice { method, backup }.say()?)
}

/// For as long as the service lets a custodian, but for an hour: all points are tried within that.
async fn allow_eject(device: &Device, portal: &Portal) -> Result<()> {
    let key = custodian_key(device)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (client, until) = (&portal.client().client, Some(now + 23 * 60 * 60));
    custodian::enable_eject(&device.service, &key, client, None, until).await?;
    Ok(Told::EjectAllowed.say()?)
}

async fn eject(portal: &Portal, method: &str) -> Result<(), Failure> {
    let method = MethodId::new(method.to_owned())?;
    let done = portal.eject(&method, &EjectOptions::default(), &nobody).await?;
    tell(&done.notices)?;
    Ok(Told::Ejected { wallets: wallets(&done.addresses) }.say()?)
}

async fn recover(portal: &Portal, method: &str, backup: Option<&str>) -> Result<(), Failure> {
    let backup = backup.map(|id| BackupId::new(id.to_owned())).transpose()?;
    let options = RecoverOptions { backup, ..RecoverOptions::default() };
    let done = portal.recover(&MethodId::new(method.to_owned())?, &options, &nobody).await?;
    tell(&done.notices)?;
    let (wallets, backup) = (wallets(&done.addresses), done.backup.to_string());
    Ok(Told::Recovered { wallets, backup }.say()?)
}

async fn revoke(portal: &Portal, method: &str) -> Result<(), Failure> {
    portal.revoke(&MethodId::new(method.to_owned())?, &nobody).await?;
    Ok(Told::Revoked { method: method.to_owned() }.say()?)
}

async fn sign(portal: &Portal) -> Result<(), Failure> {
    let Some(addresses) = portal.addresses().await? else { return Err(Error::NoWallet.into()) };
    let digest = Sha256::digest(SIGNED).into();
    let mut signatures = Signatures::new();
    for (curve, _) in addresses.iter() {
        let payload = match curve {
            Curve::Secp256k1 => Payload::Digest(&digest),
            _ => Payload::Message(SIGNED),
        };
        let bytes = match portal.sign(payload).await? {
            Signature::Ecdsa(signature) => *signature.as_bytes(),
            Signature::Ed25519(signature) => signature,
        };
        signatures.insert(curve.to_string(), base16ct::lower::encode_string(&bytes));
    }
    Ok(Told::Signed { signatures }.say()?)
}

async fn finish(portal: &Portal) -> Result<(), Failure> {
    tell(&portal.finish_interrupted().await?)?;
    Ok(Told::Finished.say()?)
}

async fn status(portal: &Portal) -> Result<(), Failure> {
    let status = portal.status().await?;
    tell(&status.notices)?;
    let completed = status
        .backups
        .iter()
        .filter(|backup| backup.completed)
        .map(|set| Completed { backup: set.id.to_string(), method: set.method.to_string() });
    let status = Status {
        wallets: status.addresses.as_ref().map(wallets),
        at_service: status.service_addresses.as_ref().map(wallets),
        live: status.live,
        completed: completed.collect(),
    };
    Ok(Told::Status(status).say()?)
}

fn wallets(addresses: &Addresses) -> Wallets {
    let hex = |key: &portal_client::PublicKey| base16ct::lower::encode_string(key.as_bytes());
    addresses.iter().map(|(curve, key)| (curve.to_string(), hex(key))).collect()
}

fn tell(notices: &[Notice]) -> io::Result<()> {
    notices.iter().try_for_each(|notice| told(notice).say())
}

fn told(notice: &Notice) -> Told {
    let (backup, method) = match notice {
        Notice::BackupFinished { method, backup }
        | Notice::BackupAbandoned { method, backup }
        | Notice::BackupLeft { method, backup } => (Some(backup), Some(method)),
        Notice::BackupUnusable { backup, .. } => (Some(backup), None),
        Notice::RolledBack { method }
        | Notice::Retired { method }
        | Notice::RevocationFinished { method } => (None, Some(method)),
        _ => (None, None),
    };
    Told::Notice {
        kind: variant(notice),
        backup: backup.map(ToString::to_string),
        method: method.map(ToString::to_string),
        text: notice.to_string(),
    }
}

fn failed(error: &Error) -> Told {
    Told::Failed { kind: variant(error), text: error.to_string() }
}

/// The name of an enum's variant, as it was written.
fn variant(value: &impl std::fmt::Debug) -> String {
    let debug = format!("{value:?}");
    debug.chars().take_while(|c| c.is_alphanumeric()).collect()
}

fn nobody(_: Progress) {}
