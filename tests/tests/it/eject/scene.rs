//! A wallet with a backup, and a service whose clock the test moves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use backup_core::{BackupId, BackupMethod, Curve, SharePairId};
use backup_testkit::MemoryStore;
use portal_api::{ErrorBody, ErrorId, compat, route};
use portal_client::{
    ApiKey, BackUpOptions, Curves, EjectOptions, Ejected, Error, Portal, custodian,
};
use portal_mpc::{BackupShare, PublicKey, Server};
use portal_server::clock::Clock;
use portal_tests::{
    middle::{Answer, Asked, Middle},
    wallets::{Device, TestClient, TestService, memory_id, memory_method, unseen},
};
use serde_json::Value;

/// A clock whose hand the test moves; or that goes so far each time that somebody looks.
#[derive(Debug)]
pub(crate) struct Hand(pub(crate) AtomicU64, pub(crate) AtomicU64);

impl Clock for Hand {
    fn now(&self) -> u64 {
        self.0.fetch_add(self.1.load(Ordering::SeqCst), Ordering::SeqCst)
    }
}

/// A wallet with a backup, and a service whose clock the test moves.
pub(crate) struct Scene {
    pub(crate) service: TestService,
    pub(crate) middle: Middle,
    pub(crate) hand: Arc<Hand>,
    pub(crate) client: TestClient,
    pub(crate) device: Device,
    pub(crate) method: Arc<dyn BackupMethod>,
    pub(crate) curves: Curves,
}

impl Scene {
    pub(crate) async fn begin(curves: Curves) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let hand = Arc::new(Hand(AtomicU64::new(now), AtomicU64::new(0)));
        let clock = Arc::clone(&hand);
        let service = TestService::start_with(move |options| options.clock = clock).await;
        let middle = Middle::before(service.address()).await;
        let client = service.client().await;
        let (device, method) = (client.device(), memory_method(&MemoryStore::new()));
        let scene = Self { service, middle, hand, client, device, method, curves };
        let app = scene.app();
        app.create_wallet(&unseen).await.unwrap();
        app.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await.unwrap();
        scene
    }

    pub(crate) fn app(&self) -> Portal {
        self.app_on(&self.device)
    }

    pub(crate) fn app_on(&self, device: &Device) -> Portal {
        let app = device.app(&self.middle.url()).method(Arc::clone(&self.method));
        app.curves(self.curves).build().unwrap()
    }

    pub(crate) fn custodian_key(&self) -> ApiKey {
        let key = std::fs::read_to_string(self.service.folder().join("custodian.key")).unwrap();
        ApiKey::new(key.trim()).unwrap()
    }

    /// The custodian allows it for the usual time.
    pub(crate) async fn enable(&self, only: Option<Curve>) -> Vec<custodian::Ejectable> {
        let (url, client) = (self.service.url(), &self.client.context.client);
        custodian::enable_eject(&url, &self.custodian_key(), client, only, None).await.unwrap()
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.hand.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) async fn key(&self, curve: Curve) -> PublicKey {
        *self.app().addresses().await.unwrap().unwrap().public_key(curve).unwrap()
    }

    pub(crate) async fn wallet(&self, curve: Curve) -> String {
        compat::wallet_id(&self.client.context.client, &self.key(curve).await)
    }

    pub(crate) async fn by_client(&self, asked: Asked) -> Answer {
        self.middle.ask(&asked.with_key(&self.client.key)).await
    }

    pub(crate) async fn by_custodian(&self, asked: Asked) -> Answer {
        self.middle.ask(&asked.with_key(&self.custodian_key())).await
    }

    pub(crate) async fn object(&self) -> Value {
        self.by_client(Asked::get(route::ME)).await.value()
    }

    /// The custodian's half of the newest backup, as it is kept.
    pub(crate) async fn half(&self) -> BackupShare<Server> {
        let service = self.service.running().service();
        let mut view = service.store.read().await.unwrap();
        let client = &self.client.context;
        let backup: BackupId = view.backups(&client.client).await.unwrap()[0].set.id.clone();
        let halves = view.custodian_halves(&client.client, &backup).await.unwrap().unwrap();
        let half = halves.ed25519.unwrap();
        service.custody.open_backup(client, half.sealed().unwrap()).await.unwrap()
    }

    pub(crate) async fn pair(&self) -> SharePairId {
        self.app().backup_share_pairs(Some(Curve::Ed25519)).await.unwrap()[0].id.clone()
    }
}

pub(crate) async fn eject(app: &Portal, only: Option<Curve>) -> portal_client::Result<Ejected> {
    let options = EjectOptions { only, ..Default::default() };
    app.eject(&memory_id(), &options, &unseen).await
}

pub(crate) fn is_not_allowed(result: &portal_client::Result<Ejected>) -> bool {
    matches!(result, Err(Error::Service { id: ErrorId::StateInvalid, .. }))
}

pub(crate) fn refusal(answer: &Answer) -> ErrorId {
    serde_json::from_str::<ErrorBody>(&answer.text()).unwrap().error.id
}
