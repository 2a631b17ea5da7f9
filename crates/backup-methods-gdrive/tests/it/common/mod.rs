//! A Drive on this machine, with users of it.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use backup_core::{
    EncryptionKey, Error, ErrorKind, KeyName, KeyPrefix, KeyStore, Operation, Purpose, Result,
    async_trait,
};
use backup_methods_gdrive::{AccessToken, DriveProblem, DriveStore, Place, Scope, TokenSource};
use backup_testkit::{
    Client,
    drive::{APP_DATA, DriveCall, DriveDouble, OWN_FILES},
};

pub(crate) const APP: &str = "the-app";
pub(crate) const ALICE: &str = "alice.w@example.com";
pub(crate) const BOB: &str = "bob@example.com";

/// Gives out what it was given, in order, and may ask a user for more.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    ready: Mutex<VecDeque<String>>,
    by_asking: Mutex<Option<Result<String, ErrorKind>>>,
    pub(crate) asked: AtomicUsize,
}

impl Tokens {
    pub(crate) fn new(tokens: &[&str]) -> Self {
        let ready = tokens.iter().map(|token| (*token).to_owned()).collect();
        Self { ready: Mutex::new(ready), ..Self::default() }
    }

    pub(crate) fn with_user(self, answer: Result<&str, ErrorKind>) -> Self {
        *self.by_asking.lock().unwrap() = Some(answer.map(str::to_owned));
        self
    }
}

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self, _: Scope) -> Result<AccessToken> {
        let ready = self.ready.lock().unwrap();
        let token = ready.front().ok_or(DriveProblem::SignInNeeded)?;
        Ok(AccessToken::new(token.as_str()))
    }

    async fn discard(&self, token: &AccessToken) -> Result<()> {
        self.ready.lock().unwrap().retain(|ready| ready != token.expose());
        Ok(())
    }

    fn asks(&self) -> bool {
        self.by_asking.lock().unwrap().is_some()
    }

    async fn sign_in(&self, _: Scope) -> Result<AccessToken> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match self.by_asking.lock().unwrap().take().expect("a user who can be asked") {
            Ok(token) => {
                self.ready.lock().unwrap().push_front(token.clone());
                Ok(AccessToken::new(token))
            }
            Err(kind) => Err(Error::new(kind, "the user of a test")),
        }
    }
}

pub(crate) fn visible() -> Place {
    Place::Folder("Wallet's \\ backup".to_owned())
}

/// The scope that `place` takes, as the double knows it.
pub(crate) fn scope(place: &Place) -> &'static str {
    match place {
        Place::Hidden => APP_DATA,
        _ => OWN_FILES,
    }
}

/// A client with a Drive.
pub(crate) struct World {
    pub(crate) drive: DriveDouble,
    pub(crate) client: Client,
    place: Place,
}

impl World {
    pub(crate) fn new(place: Place) -> Self {
        Self { drive: DriveDouble::start(), client: Client::new(), place }
    }

    pub(crate) fn token(&self, account: &str) -> String {
        self.drive.token(account, APP, &[scope(&self.place)])
    }

    /// A device of Alice's.
    pub(crate) fn store(&self) -> DriveStore {
        self.store_of(Tokens::new(&[&self.token(ALICE)]))
    }

    pub(crate) fn store_of(&self, tokens: Tokens) -> DriveStore {
        self.store_with(Arc::new(tokens), Duration::from_secs(5))
    }

    /// A device of Alice's that does not wait.
    pub(crate) fn hasty_store(&self) -> DriveStore {
        self.store_with(Arc::new(Tokens::new(&[&self.token(ALICE)])), Duration::ZERO)
    }

    pub(crate) fn store_with(&self, tokens: Arc<Tokens>, patience: Duration) -> DriveStore {
        let store = DriveStore::at(self.drive.url(), tokens, self.place.clone()).unwrap();
        store.with_patience(patience).unwrap()
    }

    pub(crate) fn op(&self) -> Operation<'_> {
        self.client.op(Purpose::Enroll)
    }

    pub(crate) fn prefix(&self) -> KeyPrefix {
        KeyPrefix::of(self.client.context())
    }

    pub(crate) fn name(&self) -> KeyName {
        KeyName::generate(&self.prefix()).unwrap()
    }

    /// Puts a fresh key.
    pub(crate) async fn put(&self, store: &DriveStore) -> (KeyName, EncryptionKey) {
        let (name, key) = (self.name(), EncryptionKey::generate().unwrap());
        store.put(&self.op(), &name, &key).await.unwrap();
        (name, key)
    }

    pub(crate) fn calls(&self) -> Vec<DriveCall> {
        self.drive.calls()
    }

    /// The ids of the files of this name.
    pub(crate) fn ids(&self, name: &KeyName) -> Vec<String> {
        let files = self.drive.files();
        let named = files.into_iter().filter(|file| file.name == name.as_str());
        named.map(|file| file.id).collect()
    }
}

/// What ours looks like in Drive.
pub(crate) fn file_of(name: &KeyName, key: &EncryptionKey) -> Vec<u8> {
    let hex: String = key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("portal-backup key 1\n{}\n{hex}\n", name.as_str()).into_bytes()
}
