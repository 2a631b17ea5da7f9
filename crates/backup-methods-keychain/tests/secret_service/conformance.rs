//! The rules that hold for every key store, and for the backup method that one makes.

use std::{any::Any, collections::HashMap, sync::Arc, thread, time::Duration};

use backup_core::{KeyStore, MethodParams, StoredKey};
use backup_methods_keychain::{
    Keychain,
    keyring_core::{Entry, Error, Result, api::CredentialStoreApi},
};
use backup_testkit::{Fixture, StoreFixture};

use crate::support::{self, Session};

mod store {
    backup_testkit::key_store_conformance!(super::World);
}

mod method {
    backup_testkit::conformance!(super::World);
}

/// A keyring that no other test uses.
struct World {
    _session: Session,
}

impl World {
    /// A thread that has begun needs a moment to take its turn; then the next call waits for it.
    async fn wait_for_threads() {
        thread::sleep(Duration::from_millis(20));
        let (context, keychain) = (support::context(), Keychain::system());
        let op = support::op(&context);
        keychain.check(&op).await.unwrap();
    }
}

impl StoreFixture for World {
    type Store = Keychain;

    fn new() -> Self {
        Self { _session: Session::new() }
    }

    fn store(&self) -> Keychain {
        Keychain::system()
    }

    fn with_back_end_away(&self) -> Option<Keychain> {
        Some(Keychain::with_store(Arc::new(Away)).unwrap())
    }

    /// A Secret Service answers all at once; each entry costs it a write of the whole keyring.
    fn many(&self) -> usize {
        60
    }

    async fn settle(&self) {
        Self::wait_for_threads().await;
    }
}

impl Fixture for World {
    type Method = StoredKey<Keychain>;

    fn new() -> Self {
        <Self as StoreFixture>::new()
    }

    fn method(&self) -> Self::Method {
        StoredKey::new(Keychain::system())
    }

    fn stores(&self) -> bool {
        true
    }

    fn left_behind(&self) -> Option<usize> {
        Some(support::all_entries())
    }

    fn with_back_end_away(&self) -> Option<Self::Method> {
        StoreFixture::with_back_end_away(self).map(StoredKey::new)
    }

    fn malformed_params(&self) -> Vec<MethodParams> {
        let name = format!("portal-0123456789abcdef-{}-claim-00", "0".repeat(32));
        let json = format!(r#"{{"v":1,"name":"{name}"}}"#);
        vec![MethodParams::from_bytes(json).unwrap()]
    }

    async fn settle(&self) {
        Self::wait_for_threads().await;
    }
}

/// A keychain whose service has gone.
#[derive(Debug)]
struct Away;

impl Away {
    fn error() -> Error {
        Error::PlatformFailure("the connection is closed".into())
    }
}

impl CredentialStoreApi for Away {
    fn vendor(&self) -> String {
        "away".to_owned()
    }

    fn id(&self) -> String {
        "away".to_owned()
    }

    fn build(&self, _: &str, _: &str, _: Option<&HashMap<&str, &str>>) -> Result<Entry> {
        Err(Self::error())
    }

    fn search(&self, _: &HashMap<&str, &str>) -> Result<Vec<Entry>> {
        Err(Self::error())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
