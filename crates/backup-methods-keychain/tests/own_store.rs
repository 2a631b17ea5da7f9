//! A keychain that the app brings: the same rules hold as for the system's, however it is searched,
//! and wherever it fails.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    any::Any,
    collections::{BTreeMap, HashMap},
    fmt,
    marker::PhantomData,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use backup_core::{
    ClientId, CustodianId, EncryptionContext, EncryptionKey, ErrorKind, KeyName, KeyPrefix,
    KeyStore, Operation, Purpose, StoredKey,
};
use backup_methods_keychain::{
    Keychain,
    keyring_core::{
        Entry, Error, Result,
        api::{Credential, CredentialApi, CredentialStoreApi},
    },
};
use backup_testkit::{Fixture, StoreFixture};
use futures_executor::block_on;

mod searched_by_service {
    mod store {
        backup_testkit::key_store_conformance!(crate::World<crate::ByService>);
    }

    mod method {
        backup_testkit::conformance!(crate::World<crate::ByService>);
    }
}

/// As that of Windows is.
mod searched_by_pattern {
    mod store {
        backup_testkit::key_store_conformance!(crate::World<crate::ByPattern>);
    }

    mod method {
        backup_testkit::conformance!(crate::World<crate::ByPattern>);
    }
}

/// A keychain that fails, whenever it is called again, is repaired by a repetition or by a removal.
#[test]
fn a_put_that_is_cut_short_at_any_call_is_repeated_or_removed() {
    let context = context();
    let op = Operation::new(Purpose::Enroll, &context);
    let prefix = KeyPrefix::of(&context);
    let name = KeyName::generate(&prefix).unwrap();
    let key = || EncryptionKey::copied_from(&[7; 32]);
    for repeats in [true, false] {
        let mut cuts = 0;
        loop {
            let own = OwnStore::of::<ByService>();
            let keychain = own.keychain();
            own.kept().calls_left = Some(cuts);
            let put = block_on(keychain.put(&op, &name, &key()));
            own.kept().calls_left = None;
            if put.is_ok() {
                break;
            }
            let listed = block_on(keychain.list(&op, &prefix)).unwrap();
            assert!(listed.iter().all(|listed| *listed == name), "{cuts}: {listed:?}");
            assert_eq!(listed.is_empty(), own.kept().entries.is_empty(), "{cuts}: all is listed");
            if repeats {
                block_on(keychain.put(&op, &name, &key())).unwrap();
                assert_eq!(block_on(keychain.get(&op, &name)).unwrap(), key(), "{cuts}");
            }
            block_on(keychain.delete(&op, &name)).unwrap();
            assert!(own.kept().entries.is_empty(), "{cuts}: nothing stays");
            cuts += 1;
        }
        assert!(cuts > 5, "only {cuts} calls were seen");
    }
}

/// What was cut short is not taken for what was put: another key is refused, or is the one.
#[test]
fn after_a_put_that_is_cut_short_another_key_is_never_mixed_with_it() {
    let context = context();
    let op = Operation::new(Purpose::Enroll, &context);
    let name = KeyName::generate(&KeyPrefix::of(&context)).unwrap();
    for cuts in 0.. {
        let own = OwnStore::of::<ByService>();
        let keychain = own.keychain();
        own.kept().calls_left = Some(cuts);
        let put = block_on(keychain.put(&op, &name, &EncryptionKey::copied_from(&[1; 32])));
        own.kept().calls_left = None;
        if put.is_ok() {
            break;
        }
        let other = EncryptionKey::copied_from(&[2; 32]);
        match block_on(keychain.put(&op, &name, &other)) {
            Ok(()) => assert_eq!(block_on(keychain.get(&op, &name)).unwrap(), other, "{cuts}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{cuts}: {error}"),
        }
    }
}

fn context() -> EncryptionContext {
    EncryptionContext::new(CustodianId::new("custodian").unwrap(), ClientId::new("client").unwrap())
}

/// How a keychain is searched.
trait Search: Send + Sync + 'static {
    fn finds(spec: &HashMap<&str, &str>, service: &str, user: &str) -> Result<bool>;
}

struct ByService;

impl Search for ByService {
    fn finds(spec: &HashMap<&str, &str>, service: &str, _: &str) -> Result<bool> {
        let wanted = spec.get("service");
        wanted.map(|wanted| *wanted == service).ok_or_else(|| invalid("service"))
    }
}

struct ByPattern;

impl Search for ByPattern {
    fn finds(spec: &HashMap<&str, &str>, service: &str, user: &str) -> Result<bool> {
        let pattern = spec.get("pattern");
        pattern
            .map(|pattern| format!("{user}.{service}").contains(pattern))
            .ok_or_else(|| invalid("pattern"))
    }
}

fn invalid(what: &str) -> Error {
    Error::Invalid(what.to_owned(), "one searches by it here".to_owned())
}

/// Entries by service and user.
#[derive(Default)]
struct Kept {
    entries: BTreeMap<(String, String), Vec<u8>>,
    /// How many calls are still answered, if there is an end to it.
    calls_left: Option<usize>,
}

type Finds = fn(&HashMap<&str, &str>, &str, &str) -> Result<bool>;

#[derive(Clone)]
struct OwnStore {
    kept: Arc<Mutex<Kept>>,
    finds: Finds,
}

impl OwnStore {
    fn of<S: Search>() -> Self {
        Self { kept: Arc::default(), finds: S::finds }
    }

    fn keychain(&self) -> Keychain {
        Keychain::with_store(Arc::new(self.clone())).unwrap()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn called(&self) -> Result<MutexGuard<'_, Kept>> {
        let mut kept = self.kept();
        if let Some(left) = &mut kept.calls_left {
            *left =
                left.checked_sub(1).ok_or_else(|| Error::PlatformFailure("it has gone".into()))?;
        }
        Ok(kept)
    }

    fn entry(&self, service: &str, user: &str) -> Entry {
        let (store, place) = (self.clone(), (service.to_owned(), user.to_owned()));
        Entry::new_with_credential(Arc::new(OwnEntry { store, place }))
    }
}

impl fmt::Debug for OwnStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnStore")
    }
}

impl CredentialStoreApi for OwnStore {
    fn vendor(&self) -> String {
        "the app".to_owned()
    }

    fn id(&self) -> String {
        "own".to_owned()
    }

    fn build(&self, service: &str, user: &str, _: Option<&HashMap<&str, &str>>) -> Result<Entry> {
        Ok(self.entry(service, user))
    }

    fn search(&self, spec: &HashMap<&str, &str>) -> Result<Vec<Entry>> {
        // Asked for in the wrong way, it says so also when it is empty.
        (self.finds)(spec, "", "")?;
        let kept = self.called()?;
        let mut found = Vec::new();
        for (service, user) in kept.entries.keys() {
            if (self.finds)(spec, service, user)? {
                found.push(self.entry(service, user));
            }
        }
        Ok(found)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[derive(Debug)]
struct OwnEntry {
    store: OwnStore,
    place: (String, String),
}

impl CredentialApi for OwnEntry {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        self.store.called()?.entries.insert(self.place.clone(), secret.to_vec());
        Ok(())
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        self.store.called()?.entries.get(&self.place).cloned().ok_or(Error::NoEntry)
    }

    fn delete_credential(&self) -> Result<()> {
        self.store.called()?.entries.remove(&self.place).map(drop).ok_or(Error::NoEntry)
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        Ok(None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some(self.place.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct World<S>(OwnStore, PhantomData<S>);

impl<S: Search> World<S> {
    fn away() -> Keychain {
        let own = OwnStore::of::<S>();
        own.kept().calls_left = Some(0);
        own.keychain()
    }

    /// A thread that has begun needs a moment to take its turn; then the next call waits for it.
    async fn wait_for_threads(&self) {
        thread::sleep(Duration::from_millis(20));
        let context = context();
        self.0.keychain().check(&Operation::new(Purpose::Enroll, &context)).await.unwrap();
    }
}

impl<S: Search> StoreFixture for World<S> {
    type Store = Keychain;

    fn new() -> Self {
        Self(OwnStore::of::<S>(), PhantomData)
    }

    fn store(&self) -> Keychain {
        self.0.keychain()
    }

    fn with_back_end_away(&self) -> Option<Keychain> {
        Some(Self::away())
    }

    async fn settle(&self) {
        self.wait_for_threads().await;
    }
}

impl<S: Search> Fixture for World<S> {
    type Method = StoredKey<Keychain>;

    fn new() -> Self {
        <Self as StoreFixture>::new()
    }

    fn method(&self) -> Self::Method {
        StoredKey::new(self.0.keychain())
    }

    fn stores(&self) -> bool {
        true
    }

    fn left_behind(&self) -> Option<usize> {
        Some(self.0.kept().entries.len())
    }

    fn with_back_end_away(&self) -> Option<Self::Method> {
        Some(StoredKey::new(Self::away()))
    }

    async fn settle(&self) {
        self.wait_for_threads().await;
    }
}
