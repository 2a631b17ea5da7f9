//! The method of a device that stores its keys, wherever the harness lets it keep them.

use std::{path::PathBuf, sync::Arc};

use anyhow::Result;
use backup_core::{BackupMethod, EncryptionContext, KeyStore, StoredKey};

use super::{
    folder_store::FolderStore,
    kept_drive::KeptDrive,
    kept_icloud::KeptICloud,
    kept_keychain::KeptKeychain,
    kept_store::{Kept, Watched},
    recorder::Recorder,
    site::Store,
};

/// The method, and what it keeps keys in, if that is not a folder.
pub(super) struct Storing {
    pub(super) method: Arc<dyn BackupMethod>,
    pub(super) kept: Option<Arc<dyn Kept>>,
}

impl Storing {
    /// The method with keys in `store`; the folder `keys` holds them, or shows what there is.
    pub(super) fn open(
        store: Store,
        keys: PathBuf,
        client: &EncryptionContext,
        recorder: &Arc<Recorder>,
    ) -> Result<Self> {
        let recorder = Arc::clone(recorder);
        Ok(match store {
            Store::Folder => Self::new(FolderStore::new(keys, recorder), None),
            Store::Drive => {
                let drive = KeptDrive::open(keys, recorder)?;
                Self::new(drive.store()?, Some(drive))
            }
            Store::Icloud => {
                let icloud = KeptICloud::open(keys, Arc::clone(&recorder))?;
                let watched = Watched::new(icloud.store()?, icloud.clone(), recorder);
                Self::new(watched, Some(icloud))
            }
            Store::Keychain => {
                let keychain = KeptKeychain::open(keys, client.clone());
                let watched = Watched::new(keychain.store(), keychain.clone(), recorder);
                Self::new(watched, Some(keychain))
            }
        })
    }

    fn new(store: impl KeyStore + 'static, kept: Option<Arc<dyn Kept>>) -> Self {
        Self { method: Arc::new(StoredKey::new(store)), kept }
    }
}
