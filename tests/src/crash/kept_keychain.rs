//! A storing method in a real keychain. Its daemon belongs to the harness and lives on when a
//! device is killed, as the system's does; what it keeps is copied with the world.

use std::{io, path::PathBuf, sync::Arc};

use backup_core::{EncryptionContext, KeyPrefix, KeyStore, Operation, Purpose};
use backup_methods_keychain::Keychain;
use backup_testkit::Files;
use futures_executor::block_on;

use super::{kept_store::Kept, world::replace_files};

/// The user's keychain, and the folder that shows the names in it.
#[derive(Debug)]
pub struct KeptKeychain {
    keychain: Keychain,
    client: EncryptionContext,
    folder: PathBuf,
}

impl KeptKeychain {
    /// The keychain of the session that this process belongs to.
    #[must_use]
    pub fn open(folder: PathBuf, client: EncryptionContext) -> Arc<Self> {
        Arc::new(Self { keychain: Keychain::system(), client, folder })
    }

    /// The store of an app.
    #[must_use]
    pub fn store(&self) -> Keychain {
        self.keychain.clone()
    }
}

impl Kept for KeptKeychain {
    fn keep(&self) -> io::Result<()> {
        let op = Operation::new(Purpose::Revoke, &self.client);
        let names = block_on(self.keychain.list(&op, &KeyPrefix::of(&self.client)));
        let names = names.map_err(io::Error::other)?;
        let files = names.into_iter().map(|name| (name.as_str().to_owned(), Vec::new()));
        replace_files(&self.folder, &files.collect::<Files>())
    }
}
