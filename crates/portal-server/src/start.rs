//! Opens the data folder, or makes what is in it: database, key file, a custodian.

mod custodian_file;
mod error;
mod files;
mod keys;
mod lock;

use std::{fs::File, path::Path, sync::Arc};

use backup_core::{CustodianId, KeyEncryption};
use portal_keys::{KeyCheck, KeyFile, KeyFileError, KeyRing};

pub use self::error::StartError;
pub(crate) use self::keys::OperatorsKeys;
use crate::{
    api_key::{ApiKey, Audience},
    clock::Clock,
    custody::Custody,
    effects::{Effect, EffectObserver},
    random,
    store::Store,
};

/// The names in a data folder.
pub(crate) const DATABASE: &str = "portal.db";
pub(crate) const CUSTODIAN_FILE: &str = "custodian.key";

/// The file in a data folder with the key that a service without [others](crate::Options::keys)
/// seals under.
pub const KEY_FILE: &str = "custody.key";
pub(crate) const LOCK_FILE: &str = "portal.lock";

/// An open data folder. It is this process's as long as this lives.
#[derive(Debug)]
pub(crate) struct DataFolder {
    pub(crate) store: Store,
    pub(crate) custody: Custody,
    pub(crate) lock: File,
}

impl DataFolder {
    /// Opens the folder. A first start that was cut short anywhere is finished by the next one.
    pub(crate) async fn open(
        folder: &Path,
        keys: OperatorsKeys,
        clock: &dyn Clock,
        observer: &Arc<dyn EffectObserver>,
    ) -> Result<Self, StartError> {
        let lock = lock::folder(folder)?;
        let database = folder.join(DATABASE);
        files::make_file(&database).map_err(StartError::folder(&database))?;
        let store = Store::open(&database, Arc::clone(observer)).await?;
        let first = First { folder, store: &store, now: clock.now(), observer: &**observer };
        let checks = store.read().await?.key_checks().await?;
        let OperatorsKeys { ring, lost } = keys;
        let ring = match ring {
            Some(ring) => ring,
            None if checks.is_empty() => ring_of(first.key_file()?)?,
            None => ring_of(KeyFile::open(folder.join(KEY_FILE))?)?,
        };
        if checks.is_empty() {
            first.make_identity(&ring).await?;
        } else {
            keys::prove(&store, &ring, &checks, &lost).await?;
        }
        Ok(Self { store, custody: Custody::new(ring).without(lost), lock })
    }
}

/// Notes of every custodian whether its ciphertexts are kept here.
pub(crate) async fn set_backup_with_portal(store: &Store, enabled: bool) -> Result<(), StartError> {
    let mut write = store.write().await?;
    for custodian in write.custodians().await? {
        write.set_backup_with_portal(&custodian, enabled).await?;
    }
    write.commit().await?;
    Ok(())
}

/// What the first start does.
struct First<'a> {
    folder: &'a Path,
    store: &'a Store,
    now: u64,
    observer: &'a dyn EffectObserver,
}

impl First<'_> {
    /// Files first, the transaction that counts on them last. While there is no check value
    /// nothing was ever sealed, and no custodian's key was ever good.
    async fn make_identity(&self, ring: &KeyRing) -> Result<(), StartError> {
        let mut checks = Vec::new();
        for key in ring.active() {
            checks.push(KeyCheck::make(key).await?);
        }
        let custodian = CustodianId::new(random::name()?)?;
        let api_key = ApiKey::generate(Audience::Custodian)?;
        self.observer.before(Effect::File { name: CUSTODIAN_FILE });
        custodian_file::write(self.folder, &api_key)?;
        let mut write = self.store.write().await?;
        for check in &checks {
            write.insert_key_check(check).await?;
        }
        write.insert_custodian(&custodian, &api_key.hash(), self.now).await?;
        write.commit().await?;
        Ok(())
    }

    /// A key file that is there with an empty database is of a first start that was cut short.
    fn key_file(&self) -> Result<KeyFile, StartError> {
        let path = self.folder.join(KEY_FILE);
        match KeyFile::open(&path) {
            Err(KeyFileError::Missing { .. }) => {
                self.observer.before(Effect::File { name: KEY_FILE });
                Ok(KeyFile::create(&path)?)
            }
            opened => Ok(opened?),
        }
    }
}

fn ring_of(key: KeyFile) -> Result<KeyRing, StartError> {
    let key: Arc<dyn KeyEncryption> = Arc::new(key);
    Ok(KeyRing::new([key])?)
}
