//! A service that really runs, and devices that ask it: what end-to-end tests begin with.

use std::{
    future::Future,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use backup_core::{BackupMethod, DataKey, EncryptionContext, MethodId, Progress, StoredKey};
use backup_testkit::MemoryStore;
use portal_client::{
    ApiKey, Curves, Effect, Error, Portal, PortalBuilder, custodian, device::DeviceStore,
};
use portal_server::{EnclaveOptions, Options, Running, Server};
use tempfile::TempDir;

/// Whose passkeys the enclave of a service takes.
pub const RELYING_PARTY: &str = "example.com";

/// Where ceremonies of such passkeys run.
pub const PASSKEY_ORIGIN: &str = "https://wallet.example.com";

/// A service on this machine, with a data folder that outlives its process.
#[derive(Debug)]
pub struct TestService {
    folder: TempDir,
    running: Option<Running>,
}

/// A custodian, as its own servers know it.
#[derive(Debug)]
pub struct Custodian {
    url: String,
    key: ApiKey,
}

/// A client, as its app knows it.
#[derive(Debug)]
pub struct TestClient {
    /// Who it is.
    pub context: EncryptionContext,
    /// Its API key.
    pub key: ApiKey,
}

impl Clone for TestClient {
    fn clone(&self) -> Self {
        Self { context: self.context.clone(), key: copied(&self.key) }
    }
}

/// The key once more, as an app that starts again reads it from its keychain.
///
/// # Panics
///
/// Never: it was a key.
#[must_use]
pub fn copied(key: &ApiKey) -> ApiKey {
    ApiKey::new(key.expose()).expect("it is a key")
}

/// A device of a client: a folder, and a key in its keychain.
#[derive(Debug)]
pub struct Device {
    folder: TempDir,
    client: TestClient,
}

impl TestService {
    /// A service that nobody has used.
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// The same with a passkey enclave, which may be asked as often as one likes.
    pub async fn start_with_enclave() -> Self {
        Self::start_with(|options| {
            options.enclave = Some(EnclaveOptions::new(RELYING_PARTY, &[PASSKEY_ORIGIN]));
            options.limits.ceremony_rate = None;
        })
        .await
    }

    /// A service that nobody has used, with its options changed.
    pub async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the service");
        let mut service = Self { folder, running: None };
        let mut options = Options::new(service.folder());
        change(&mut options);
        service.run(options).await;
        service
    }

    /// Starts it again, on another port: with what is in its folder.
    pub async fn start_again(&mut self) {
        self.stop().await;
        self.run(Options::new(self.folder())).await;
    }

    async fn run(&mut self, options: Options) {
        let running = Server::start(options).await;
        self.running = Some(running.expect("the service starts"));
    }

    /// Stops it.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown().await;
        }
    }

    /// Where it keeps its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The service as it runs.
    #[must_use]
    pub fn running(&self) -> &Running {
        self.running.as_ref().expect("the service runs")
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.running().address()
    }

    /// Its address for clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The custodian whom its first start has made.
    #[must_use]
    pub fn custodian(&self) -> Custodian {
        Custodian::of(&self.url(), self.folder())
    }

    /// A client that nobody has seen before.
    pub async fn client(&self) -> TestClient {
        self.custodian().new_client().await.expect("a custodian makes clients")
    }
}

impl Custodian {
    /// Whom the first start of a service made, and left the key of in its folder.
    ///
    /// # Panics
    ///
    /// If there is no key.
    #[must_use]
    pub fn of(url: &str, folder: &Path) -> Self {
        let key = std::fs::read_to_string(folder.join("custodian.key"));
        let key = key.expect("the first start made a custodian");
        Self { url: url.to_owned(), key: ApiKey::new(key.trim()).expect("it is a key") }
    }

    /// The service.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A client that nobody has seen before.
    ///
    /// # Errors
    ///
    /// If the service does not make one.
    pub async fn new_client(&self) -> Result<TestClient, Error> {
        let (context, key) = custodian::create_client(&self.url, &self.key).await?;
        Ok(TestClient { context, key })
    }
}

impl TestClient {
    /// A device that has nothing of the client yet.
    #[must_use]
    pub fn device(&self) -> Device {
        let folder = tempfile::tempdir().expect("a folder for the device");
        Device { folder, client: self.clone() }
    }
}

impl Device {
    /// What an app on this device sets up, for wallets on Ed25519, which are quick to make.
    pub fn app(&self, url: &str) -> PortalBuilder {
        let key = DataKey::copied_from(&[0x11; 32]);
        let store = DeviceStore::new(self.folder.path(), self.client.context.clone(), key);
        Portal::builder(url, copied(&self.client.key), store).curves(Curves::ED25519)
    }

    /// The app, with one method.
    ///
    /// # Panics
    ///
    /// If it cannot be set up.
    #[must_use]
    pub fn portal(&self, url: &str, method: &Arc<dyn BackupMethod>) -> Portal {
        self.app(url).method(Arc::clone(method)).build().expect("the app is set up")
    }
}

/// A method that keeps keys in `store`, and asks nobody anything.
#[must_use]
pub fn memory_method(store: &MemoryStore) -> Arc<dyn BackupMethod> {
    Arc::new(StoredKey::new(store.clone()))
}

/// The id of [`memory_method`].
#[must_use]
pub fn memory_id() -> MethodId {
    memory_method(&MemoryStore::new()).id()
}

/// A sink for progress that nobody follows.
pub fn unseen(_: Progress) {}

/// A process that dies before the effect of a certain number: that one and all after it fail.
#[derive(Debug)]
pub struct Mortal {
    stop: usize,
    seen: AtomicUsize,
    is_dead: AtomicBool,
}

impl Mortal {
    /// One that dies before the effect of number `stop`.
    #[must_use]
    pub fn dying_before(stop: usize) -> Arc<Self> {
        let (seen, is_dead) = (AtomicUsize::new(0), AtomicBool::new(false));
        Arc::new(Self { stop, seen, is_dead })
    }

    /// How many effects there were before it died.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    /// Whether it has died.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::SeqCst)
    }
}

impl portal_client::EffectObserver for Mortal {
    fn before(&self, _: Effect<'_>) -> std::io::Result<()> {
        if self.seen() >= self.stop {
            self.is_dead.store(true, Ordering::SeqCst);
            return Err(std::io::Error::other("the process is dead"));
        }
        self.seen.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Runs `test` on a runtime as apps have it.
///
/// # Panics
///
/// If it takes longer than ten minutes, or panics itself.
pub fn on_runtime(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("there is a runtime");
    let limit = Duration::from_secs(600);
    runtime.block_on(async { tokio::time::timeout(limit, test).await.expect("it ends in time") });
    runtime.shutdown_timeout(Duration::from_secs(5));
}
