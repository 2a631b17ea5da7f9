//! What the operator does with a data folder, whether or not a service runs on it: custodians, the
//! API keys of custodians and clients, and the audit.
//!
//! Each change is one transaction of the database. A service that runs sees it with its next
//! request.

mod custody;
mod rewrap;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use backup_core::{ClientId, CustodianId};

pub use self::{
    custody::{Unopened, Verified},
    rewrap::Rewrapped,
};
use crate::{
    api_key::{ApiKey, Audience},
    audit::{AuditHead, AuditRecord, BrokenChain},
    clock::{Clock, SystemClock},
    effects::{EffectObserver, Nobody},
    random,
    start::{DATABASE, StartError},
    store::{KeyOwner, KeyRow, NewKey, Store, StoreError, WebhookRow},
};

/// The database of a service, in the hands of its operator.
#[derive(Debug)]
pub struct Admin {
    store: Store,
}

/// Why the operator's wish was not done. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// The folder is no service's.
    #[error("{0} holds no service: start one on it first")]
    NoService(PathBuf),
    /// There is nobody of this name.
    #[error("there is no such {0}; list them to see their ids")]
    NoSuch(&'static str),
    /// It is no name for people.
    #[error("a name has 1 to 100 characters, all of them visible")]
    Name,
    /// The service seals under other keys than those that were given.
    #[error(
        "the service seals under other keys than these settings name; start it with these \
         settings first"
    )]
    OtherKeys,
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit is not what it was.
    #[error(transparent)]
    Audit(#[from] BrokenChain),
    /// What reads the audit cannot go on.
    #[error("the audit cannot be written out")]
    Export(#[source] io::Error),
    /// A key or an id cannot be made.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl Admin {
    /// Opens the database of a data folder that a service of this release has made.
    ///
    /// # Errors
    ///
    /// [`AdminError`]; [`StoreError::OtherRelease`] if the tables are those of another release:
    /// the service brings them up to date, and nobody else.
    pub async fn open(folder: &Path) -> Result<Self, AdminError> {
        Self::open_observed(folder, Arc::new(Nobody)).await
    }

    /// The same; somebody is told of every effect.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub async fn open_observed(
        folder: &Path,
        observer: Arc<dyn EffectObserver>,
    ) -> Result<Self, AdminError> {
        let database = folder.join(DATABASE);
        if !database.is_file() {
            return Err(AdminError::NoService(folder.into()));
        }
        let store = Store::open_as_it_is(&database, observer).await?;
        if !store.read().await?.has_custodian().await? {
            return Err(AdminError::NoService(folder.into()));
        }
        Ok(Self { store })
    }

    /// All custodians.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`].
    pub async fn custodians(&self) -> Result<Vec<CustodianId>, AdminError> {
        Ok(self.store.read().await?.custodians().await?)
    }

    /// Makes a custodian, and its first API key, which is never over.
    ///
    /// # Errors
    ///
    /// [`AdminError`].
    pub async fn create_custodian(&self) -> Result<(CustodianId, ApiKey), AdminError> {
        let name = random::name().map_err(StartError::from)?;
        let id = CustodianId::new(name).map_err(StartError::from)?;
        let key = ApiKey::generate(Audience::Custodian).map_err(StartError::from)?;
        let mut write = self.store.write().await?;
        write.insert_custodian(&id, &key.hash(), now()).await?;
        write.commit().await?;
        Ok((id, key))
    }

    /// Says what people call a custodian, which is what its apps are told. Its id stays.
    ///
    /// # Errors
    ///
    /// [`AdminError`].
    pub async fn name_custodian(&self, id: &CustodianId, name: &str) -> Result<(), AdminError> {
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control)
        {
            return Err(AdminError::Name);
        }
        let mut write = self.store.write().await?;
        if !write.name_custodian(id, name).await? {
            return Err(AdminError::NoSuch("custodian"));
        }
        write.commit().await?;
        Ok(())
    }

    /// All clients of a custodian, the oldest first.
    ///
    /// # Errors
    ///
    /// [`AdminError`].
    pub async fn clients(&self, custodian: &CustodianId) -> Result<Vec<ClientId>, AdminError> {
        self.expect(&KeyOwner::Custodian(custodian.clone())).await?;
        Ok(self.store.read().await?.clients(custodian).await?)
    }

    /// The webhooks of those custodians that have one.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`].
    pub async fn webhooks(&self) -> Result<Vec<(CustodianId, WebhookRow)>, AdminError> {
        let mut view = self.store.read().await?;
        let mut webhooks = Vec::new();
        for custodian in view.custodians().await? {
            if let Some(webhook) = view.webhook(&custodian).await? {
                webhooks.push((custodian, webhook));
            }
        }
        Ok(webhooks)
    }

    /// The keys of a custodian or a client, the oldest first, and those that are over too.
    ///
    /// # Errors
    ///
    /// [`AdminError`].
    pub async fn keys(&self, owner: &KeyOwner) -> Result<Vec<KeyRow>, AdminError> {
        self.expect(owner).await?;
        Ok(self.store.read().await?.api_keys(owner).await?)
    }

    /// Makes a key beside those that its owner has; in force for `seconds`, or for good.
    ///
    /// # Errors
    ///
    /// [`AdminError`].
    pub async fn create_key(
        &self,
        owner: &KeyOwner,
        seconds: Option<u64>,
    ) -> Result<(String, ApiKey), AdminError> {
        self.expect(owner).await?;
        let audience = match owner {
            KeyOwner::Custodian(_) => Audience::Custodian,
            KeyOwner::Client(_) => Audience::Client,
        };
        let key = ApiKey::generate(audience).map_err(StartError::from)?;
        let (hash, now) = (key.hash(), now());
        let ends_at = seconds.map(|seconds| now.saturating_add(seconds));
        let mut write = self.store.write().await?;
        write.insert_api_key(owner, NewKey { hash, now, ends_at }).await?;
        write.commit().await?;
        Ok((hash.name(), key))
    }

    /// Revokes the key of this name: no request that comes after that is answered. Revoking it
    /// again succeeds.
    ///
    /// # Errors
    ///
    /// [`AdminError`].
    pub async fn revoke_key(&self, id: &str) -> Result<(), AdminError> {
        let mut write = self.store.write().await?;
        if !write.end_api_key(id, now()).await? {
            return Err(AdminError::NoSuch("key"));
        }
        write.commit().await?;
        Ok(())
    }

    /// Goes through the audit from its first record, as it is now, and hands on each record that
    /// follows the one before it. Its end, which is to be kept elsewhere: with one that was kept,
    /// `known`, the audit has to have gone on from there.
    ///
    /// # Errors
    ///
    /// [`AdminError::Audit`] if a record was changed, added or removed, [`AdminError::Export`] if
    /// `each` fails.
    pub async fn audit(
        &self,
        known: Option<AuditHead>,
        mut each: impl FnMut(&AuditRecord) -> io::Result<()>,
    ) -> Result<AuditHead, AdminError> {
        let known = known.unwrap_or_default();
        let (mut view, mut head) = (self.store.read().await?, AuditHead::default());
        loop {
            let records = view.audit_after(head.number).await?;
            if records.is_empty() {
                break;
            }
            for record in &records {
                head = head.followed_by(record)?;
                if head.number == known.number && head != known {
                    return Err(BrokenChain::At(head.number).into());
                }
                each(record).map_err(AdminError::Export)?;
            }
        }
        if head.number < known.number {
            return Err(BrokenChain::Short(head.number).into());
        }
        Ok(head)
    }

    async fn expect(&self, owner: &KeyOwner) -> Result<(), AdminError> {
        let mut view = self.store.read().await?;
        match owner {
            KeyOwner::Custodian(custodian) => {
                let known = view.custodians().await?.contains(custodian);
                if known { Ok(()) } else { Err(AdminError::NoSuch("custodian")) }
            }
            KeyOwner::Client(client) => {
                let known = view.client(&client.custodian, &client.client).await?;
                known.map(drop).ok_or(AdminError::NoSuch("client"))
            }
        }
    }
}

fn now() -> u64 {
    SystemClock.now()
}

/// The longest name of a custodian, in characters.
const LONGEST_NAME: usize = 100;
