//! An iCloud on this machine, with users of it.

use std::{
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
use backup_methods_icloud::{
    Container, Environment, ICloudProblem, ICloudStore, MemoryTokens, SignIn, TokenStore,
    WebAuthToken,
};
use backup_testkit::{
    Client,
    icloud::{API_TOKEN, CONTAINER, ICloudCall, ICloudDouble},
};

pub(crate) const ALICE: &str = "alice";
pub(crate) const BOB: &str = "bob";

/// A user who answers once, or an Apple device that signs in by itself.
#[derive(Debug, Default)]
pub(crate) struct User {
    answer: Mutex<Option<Result<String, ErrorKind>>>,
    is_silent: bool,
    pub(crate) asked: AtomicUsize,
}

impl User {
    /// Somebody who declines whatever they are asked.
    pub(crate) fn away() -> Self {
        Self::default()
    }

    pub(crate) fn signing_in(token: String) -> Self {
        Self { answer: Mutex::new(Some(Ok(token))), ..Self::default() }
    }

    pub(crate) fn silent(self) -> Self {
        Self { is_silent: true, ..self }
    }
}

#[async_trait]
impl SignIn for User {
    fn asks(&self) -> bool {
        !self.is_silent
    }

    async fn sign_in(&self, page: &str) -> Result<WebAuthToken> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        assert!(page.contains("/signin?flow="), "this is not the page to sign in on");
        match self.answer.lock().unwrap().take() {
            Some(Ok(token)) => WebAuthToken::new(token),
            Some(Err(kind)) => Err(Error::new(kind, "the user of a test")),
            None => Err(Error::new(ErrorKind::Cancelled, "the user of a test")),
        }
    }
}

/// A client with an iCloud.
pub(crate) struct World {
    pub(crate) icloud: ICloudDouble,
    pub(crate) client: Client,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { icloud: ICloudDouble::start(), client: Client::new() }
    }

    pub(crate) fn tokens(&self, account: &str) -> Arc<MemoryTokens> {
        Arc::new(MemoryTokens::holding(self.icloud.token(account).into()))
    }

    /// A device of Alice's, on which she is signed in.
    pub(crate) fn store(&self) -> ICloudStore {
        self.store_of(ALICE)
    }

    pub(crate) fn store_of(&self, account: &str) -> ICloudStore {
        self.store_with(self.tokens(account), Arc::new(User::away()))
    }

    /// A device of Alice's that does not wait.
    pub(crate) fn hasty_store(&self) -> ICloudStore {
        self.store().with_patience(Duration::ZERO).unwrap()
    }

    pub(crate) fn store_with(
        &self,
        tokens: Arc<dyn TokenStore>,
        user: Arc<dyn SignIn>,
    ) -> ICloudStore {
        store_at(self.icloud.url(), Environment::Development, tokens, user)
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
    pub(crate) async fn put(&self, store: &ICloudStore) -> (KeyName, EncryptionKey) {
        let (name, key) = (self.name(), key());
        store.put(&self.op(), &name, &key).await.unwrap();
        (name, key)
    }

    pub(crate) fn calls(&self) -> Vec<ICloudCall> {
        self.icloud.calls()
    }
}

pub(crate) fn store_at(
    url: &str,
    environment: Environment,
    tokens: Arc<dyn TokenStore>,
    user: Arc<dyn SignIn>,
) -> ICloudStore {
    let container = Container::new(CONTAINER, environment, API_TOKEN).unwrap().at(url).unwrap();
    let store = ICloudStore::new(container, tokens, user).unwrap();
    store.with_patience(Duration::from_secs(5)).unwrap()
}

pub(crate) fn key() -> EncryptionKey {
    EncryptionKey::generate().unwrap()
}

pub(crate) fn problem(error: &Error) -> &ICloudProblem {
    ICloudProblem::of(error).unwrap_or_else(|| panic!("it says nothing of iCloud: {error:?}"))
}

/// Everything that an error can show, with its causes.
pub(crate) fn all_of(error: &Error) -> String {
    let (mut text, mut cause) = (format!("{error} {error:?}"), std::error::Error::source(error));
    while let Some(error) = cause {
        text += &format!(" {error} {error:?}");
        cause = error.source();
    }
    text
}
