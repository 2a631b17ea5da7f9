//! A keyring that is unlocked, and what its entries are called.

use std::{collections::HashMap, path::Path, sync::Arc};

use backup_core::{
    ClientId, CustodianId, EncryptionContext, EncryptionKey, KeyName, KeyPrefix, Operation, Purpose,
};
use backup_methods_keychain::{
    Keychain,
    keyring_core::{CredentialStore, Entry, api::CredentialStoreApi},
};
use backup_testkit::{Keyring, SessionBus};
use tempfile::TempDir;
use zbus_secret_service_keyring_store::Store;

/// A session with a keyring that nobody has used.
#[derive(Debug)]
pub(crate) struct Session {
    // In the order in which they end.
    keyring: Option<Keyring>,
    home: TempDir,
    bus: SessionBus,
}

impl Session {
    pub(crate) fn new() -> Self {
        let bus = SessionBus::enter();
        let home = tempfile::tempdir().unwrap();
        let keyring = Some(bus.keyring(home.path(), PASSWORD));
        Self { keyring, home, bus }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn stop(&mut self) {
        self.keyring = None;
    }

    /// Ends the keyring and starts it again, with what it kept.
    pub(crate) fn start_again(&mut self, password: &str) {
        self.stop();
        self.keyring = Some(self.bus.keyring(self.home.path(), password));
    }
}

pub(crate) const PASSWORD: &str = "the login password";

pub(crate) fn context() -> EncryptionContext {
    EncryptionContext::new(CustodianId::new("custodian").unwrap(), ClientId::new("client").unwrap())
}

pub(crate) fn op(context: &EncryptionContext) -> Operation<'_> {
    Operation::new(Purpose::Enroll, context)
}

pub(crate) fn fresh(context: &EncryptionContext) -> (KeyName, EncryptionKey) {
    let name = KeyName::generate(&KeyPrefix::of(context)).unwrap();
    (name, EncryptionKey::generate().unwrap())
}

/// The service under which a client's entries are.
pub(crate) fn service(context: &EncryptionContext) -> String {
    let prefix = KeyPrefix::of(context);
    format!("{} {}", Keychain::DEFAULT_LABEL, prefix.as_str().trim_end_matches('-'))
}

/// `keyring` itself, with nothing of ours.
pub(crate) fn bare() -> Arc<CredentialStore> {
    Store::new().unwrap()
}

/// Every entry of a client, claims included.
pub(crate) fn entries(context: &EncryptionContext) -> Vec<Entry> {
    let service = service(context);
    bare().search(&HashMap::from([("service", service.as_str())])).unwrap()
}

/// Every entry of anybody.
pub(crate) fn all_entries() -> usize {
    Store::new().unwrap().search(&HashMap::new()).unwrap().len()
}
