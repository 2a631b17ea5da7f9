//! The user whose API key is stolen.

use std::{sync::Arc, time::Duration};

use backup_core::{BackupMethod, Curve, StoredKey};
use backup_testkit::MemoryStore;
use portal_api::{ErrorId, route};
use portal_client::{
    Addresses, ApiKey, BackUpOptions, Payload, Portal, PublicKey, RecoverOptions, custodian,
};
use portal_mpc::ByCurve;
use portal_server::{clock::Clock, maintenance};
use portal_tests::{
    middle::{Answer, Asked, Meddler, Method, Middle, StatusCode},
    wallets::{Device, TestClient, unseen},
};
use serde_json::Value;

use super::{
    thief::only,
    world::{LONGEST_EJECT, World, method},
};

/// The user: a device that signs, one that it replaced, and backups with two methods.
pub(crate) struct Victim {
    pub(crate) curve: Curve,
    pub(crate) middle: Middle,
    pub(crate) client: TestClient,
    pub(crate) device: Device,
    pub(crate) stores: [MemoryStore; 3],
    pub(crate) addresses: Addresses,
    pub(crate) backups: Vec<String>,
    pub(crate) began: u64,
    pub(crate) before: Value,
}

/// Lets no envelope through.
pub(crate) struct NoEnvelope;

impl Meddler for NoEnvelope {
    fn instead(&self, asked: &Asked) -> Option<Answer> {
        let is_put = asked.is(&Method::PUT, "/envelope");
        is_put.then(|| Answer::refusal(StatusCode::SERVICE_UNAVAILABLE, ErrorId::Error))
    }
}

impl Victim {
    /// Has done all that devices do, and left a backup half done.
    pub(crate) async fn live(world: &World, curve: Curve) -> Self {
        let middle = Middle::before(world.service.address()).await;
        let client = world.service.client().await;
        let stores = ["one", "two", "three"].map(|name| MemoryStore::with_id(method(name)));
        let first = client.device();
        let mut victim = Self {
            curve,
            middle,
            device: client.device(),
            client,
            stores,
            addresses: Addresses::new(ByCurve { secp256k1: None, ed25519: None }),
            backups: Vec::new(),
            began: world.hand.now(),
            before: Value::Null,
        };
        let app = victim.app(&first);
        victim.addresses = app.create_wallet(&unseen).await.unwrap();
        victim.sign(&app).await;
        let one = back_up(&app, "one").await;
        let app = victim.app(&victim.device);
        recover(&app, "one").await;
        victim.sign(&app).await;
        let (two, three) = (back_up(&app, "two").await, back_up(&app, "three").await);
        app.revoke(&method("three"), &unseen).await.unwrap();
        let pending = victim.leave_one_pending(&app).await;
        victim.backups = vec![one, two, three, pending];
        victim.may_eject(world).await;
        victim.before = victim.look().await;
        victim
    }

    /// From now on, for as long as the service lets anybody be allowed.
    async fn may_eject(&self, world: &World) {
        let key = std::fs::read_to_string(world.service.folder().join("custodian.key")).unwrap();
        let key = ApiKey::new(key.trim()).unwrap();
        let (url, client) = (world.service.url(), &self.client.context.client);
        let until = Some(world.hand.now() + LONGEST_EJECT.as_secs());
        custodian::enable_eject(&url, &key, client, None, until).await.unwrap();
    }

    pub(crate) fn key(&self) -> PublicKey {
        *self.addresses.public_key(self.curve).unwrap()
    }

    /// First one that is dropped, then one that stays without its envelope.
    pub(crate) async fn leave_one_pending(&self, app: &Portal) -> String {
        self.middle.change(|asked, answer| {
            let is_read = asked.is(&Method::GET, "/envelope");
            if is_read { answer.with_body("another") } else { answer }
        });
        let options = BackUpOptions { enroll_anew: true, ..Default::default() };
        app.back_up(&method("two"), &options, &unseen).await.unwrap_err();
        self.middle.meddle(NoEnvelope);
        let options = BackUpOptions::default();
        app.back_up(&method("one"), &options, &unseen).await.unwrap_err();
        self.middle.be_honest();
        let view = self.look().await;
        let sets = view["backups"].as_array().unwrap();
        let pending: Vec<_> = sets.iter().filter(|set| set["status"] == "PENDING").collect();
        assert_eq!(pending.len(), 1, "{view}");
        pending[0]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn app(&self, device: &Device) -> Portal {
        let app = device.app(&self.middle.url()).patience(Duration::from_millis(250));
        let app = app.curves(only(self.curve));
        let methods = self.stores.iter().map(|store| {
            let method: Arc<dyn BackupMethod> = Arc::new(StoredKey::new(store.clone()));
            method
        });
        methods.fold(app, portal_client::PortalBuilder::method).build().unwrap()
    }

    async fn sign(&self, app: &Portal) {
        let payload = match self.curve {
            Curve::Ed25519 => Payload::Message(b"from the user"),
            _ => Payload::Digest(&[0x5a; 32]),
        };
        app.sign(payload).await.unwrap();
    }

    pub(crate) async fn look(&self) -> Value {
        self.middle.ask(&Asked::get(route::CLIENT).with_key(&self.client.key)).await.value()
    }

    /// Its live device signs, nothing is frozen, retired or revoked, and every method recovers.
    pub(crate) async fn expect_all_is_well(&self, world: &World) {
        self.expect_unchanged(world).await;
        let app = self.app(&self.device);
        self.sign(&app).await;
        app.finish_interrupted().await.unwrap();
        assert!(app.status().await.unwrap().live);
        self.sign(&app).await;
        for name in ["one", "two"] {
            let device = self.client.device();
            let app = self.app(&device);
            assert_eq!(recover(&app, name).await, self.addresses, "{name}");
            self.sign(&app).await;
        }
    }

    /// But for what is pending, and goes by itself after a week.
    pub(crate) async fn expect_unchanged(&self, world: &World) {
        let now = self.look().await;
        assert_eq!(now["signing"], self.before["signing"]);
        let me = self.middle.ask(&Asked::get(route::ME).with_key(&self.client.key)).await.value();
        assert_eq!(me["ejectedAt"], Value::Null, "no half of the custodian's has left");
        let completed = |view: &Value| {
            let sets = view["backups"].as_array().unwrap().clone();
            sets.into_iter().filter(|set| set["status"] == "COMPLETED").collect::<Vec<_>>()
        };
        assert_eq!(completed(&self.before).len(), 2);
        assert_eq!(completed(&now), completed(&self.before));
        if world.hand.now() < self.began + maintenance::PENDING_BACKUP_SECONDS {
            let ids = |view: &Value| {
                let sets = view["backups"].as_array().unwrap();
                sets.iter().map(|set| set["id"].clone()).collect::<Vec<_>>()
            };
            assert_eq!(ids(&now), ids(&self.before));
        }
    }
}

pub(crate) async fn back_up(app: &Portal, name: &str) -> String {
    let made = app.back_up(&method(name), &BackUpOptions::default(), &unseen).await.unwrap();
    made.backup.as_str().to_owned()
}

pub(crate) async fn recover(app: &Portal, name: &str) -> Addresses {
    let recovered = app.recover(&method(name), &RecoverOptions::default(), &unseen).await;
    recovered.unwrap().addresses
}
