//! A service on a real socket with a real folder, and what its tests ask of it.

pub mod device;
pub mod http;
pub mod protocol;

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use portal_api::{CreatedClient, route};
use portal_server::{Options, Running, Server, clock::Clock, maintenance};
use reqwest::{Client, Method};
use tempfile::TempDir;

use self::{device::Device, http::Answer};

/// When the tests begin.
pub const NOW: u64 = 1_790_000_000;

pub const DAY: u64 = 24 * 60 * 60;

/// A clock that goes when it is told.
#[derive(Debug)]
pub struct Hands(pub AtomicU64);

impl Hands {
    pub fn at(now: u64) -> Self {
        Self(AtomicU64::new(now))
    }
}

impl Clock for Hands {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A running service.
pub struct Service {
    pub running: Running,
    pub hands: Arc<Hands>,
    pub folder: TempDir,
    http: Client,
}

impl Service {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hands = Arc::new(Hands::at(NOW));
        let mut options = options(folder.path(), &hands);
        change(&mut options);
        let running = Server::start(options).await.unwrap();
        Self { running, hands, folder, http: Client::new() }
    }

    /// Ends the process, as far as anybody can tell, and starts another on its folder.
    pub async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    pub async fn restart_with(self, change: impl FnOnce(&mut Options)) -> Self {
        let Self { running, hands, folder, .. } = self;
        running.shutdown().await;
        let mut options = options(folder.path(), &hands);
        change(&mut options);
        let running = Server::start(options).await.unwrap();
        Self { running, hands, folder, http: Client::new() }
    }

    /// Lets time pass, and what is over be cleared away.
    pub async fn wait(&self, seconds: u64) {
        let now = self.hands.0.fetch_add(seconds, Ordering::SeqCst) + seconds;
        maintenance::run_once(self.running.service(), now).await.unwrap();
    }

    pub fn custodian_key(&self) -> String {
        fs::read_to_string(self.folder.path().join("custodian.key")).unwrap().trim().to_owned()
    }

    /// Whether these bytes are in any file of its folder.
    pub fn has_on_disk(&self, bytes: &[u8]) -> bool {
        fs::read_dir(self.folder.path()).unwrap().any(|entry| {
            let file = fs::read(entry.unwrap().path()).unwrap();
            file.windows(bytes.len()).any(|window| window == bytes)
        })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address())
    }

    pub async fn send(&self, request: http::Request<'_>) -> Answer {
        request.send(&self.http, &self.url(request.path)).await
    }

    pub async fn create_client(&self) -> CreatedClient {
        let key = self.custodian_key();
        let request =
            http::Request::new(Method::POST, route::CUSTODIAN_CLIENTS).by(&key).json("{}");
        self.send(request).await.json()
    }

    /// A client with a live signing set.
    pub async fn device(&self) -> Device {
        let created = self.create_client().await;
        Device::with_wallet(self.running.service(), &created).await
    }
}

/// The same key but for one character.
pub fn damaged(key: &str) -> String {
    let other = if &key[9..10] == "A" { "B" } else { "A" };
    [&key[..9], other, &key[10..]].concat()
}

pub fn options(folder: &Path, hands: &Arc<Hands>) -> Options {
    let mut options = Options::new(folder);
    options.clock = Arc::clone(hands) as _;
    options
}
