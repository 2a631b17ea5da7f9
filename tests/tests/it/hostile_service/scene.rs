//! A wallet whose device reaches its service by way of a man in the middle.

use std::time::Duration;

use backup_core::Curve;
use backup_testkit::MemoryStore;
use portal_client::{
    Addresses, BackUpOptions, BackedUp, Curves, Payload, Portal, PortalBuilder, RecoverOptions,
    Result, Signature,
};
use portal_tests::{
    middle::{Answer, Asked, Middle},
    wallets::{Device, TestClient, TestService, memory_id, memory_method, unseen},
};

use super::lies::envelope_path;

/// A wallet on a device that reaches its service by way of a man in the middle. All wallets keep
/// their keys in one store, which gives a key to whoever names it.
pub(crate) struct Scene {
    pub(crate) middle: Middle,
    pub(crate) client: TestClient,
    pub(crate) device: Device,
    pub(crate) store: MemoryStore,
    pub(crate) addresses: Addresses,
}

impl Scene {
    pub(crate) async fn begin(service: &TestService) -> Self {
        Self::sharing(service, MemoryStore::new(), Curves::ED25519).await
    }

    pub(crate) async fn sharing(service: &TestService, store: MemoryStore, curves: Curves) -> Self {
        let middle = Middle::before(service.address()).await;
        let client = service.client().await;
        let device = client.device();
        let builder = device.app(&middle.url()).curves(curves);
        let addresses = builder.build().unwrap().create_wallet(&unseen).await.unwrap();
        Self { middle, client, device, store, addresses }
    }

    pub(crate) fn builder(&self, device: &Device) -> PortalBuilder {
        let builder = device.app(&self.middle.url()).patience(Duration::from_millis(250));
        builder.method(memory_method(&self.store))
    }

    pub(crate) fn app(&self) -> Portal {
        self.builder(&self.device).build().unwrap()
    }

    /// The app on the first device, which destroys old keys as soon as it may.
    pub(crate) fn impatient_app(&self) -> Portal {
        self.builder(&self.device).grace(Duration::ZERO).build().unwrap()
    }

    pub(crate) fn new_app(&self) -> (Device, Portal) {
        let device = self.client.device();
        let app = self.builder(&device).build().unwrap();
        (device, app)
    }

    pub(crate) async fn back_up(&self, enroll_anew: bool) -> String {
        let made = back_up(&self.app(), enroll_anew, &unseen).await.unwrap();
        made.backup.as_str().to_owned()
    }

    /// What the service itself answers to this client.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.middle.ask(&Asked::get(path).with_key(&self.client.key)).await
    }

    pub(crate) async fn envelope(&self, backup: &str) -> String {
        self.get(&envelope_path(backup)).await.text()
    }

    /// With an honest service, a device that was bought now has this wallet and signs with it.
    pub(crate) async fn expect_recovery(&self, what: &str) {
        self.middle.be_honest();
        let (_device, app) = self.new_app();
        let recovered = recover(&app).await;
        let recovered = recovered.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(recovered.addresses, self.addresses, "{what}");
        self.expect_signature(&app, what).await;
    }

    pub(crate) async fn expect_signature(&self, app: &Portal, what: &str) {
        let message = b"pay nobody";
        let signature = app.sign(Payload::Message(message)).await;
        let signature = signature.unwrap_or_else(|error| panic!("{what}: {error}"));
        let Signature::Ed25519(signature) = signature else { panic!("{what}: another curve") };
        let key = self.addresses.public_key(Curve::Ed25519).unwrap().as_bytes();
        let key = ed25519_dalek::VerifyingKey::try_from(key).unwrap();
        let signature = ed25519_dalek::Signature::from_slice(&signature[..]).unwrap();
        key.verify_strict(message, &signature).unwrap_or_else(|_| panic!("{what}: another key"));
    }
}

pub(crate) async fn back_up(
    app: &Portal,
    enroll_anew: bool,
    sink: &dyn backup_core::ProgressSink,
) -> Result<BackedUp> {
    let options = BackUpOptions { enroll_anew, ..BackUpOptions::default() };
    app.back_up(&memory_id(), &options, sink).await
}

pub(crate) async fn recover(app: &Portal) -> Result<portal_client::Recovered> {
    app.recover(&memory_id(), &RecoverOptions::default(), &unseen).await
}
