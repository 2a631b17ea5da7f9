//! Backups with a storing method that stop on the way, at an effect of the device or at one of the
//! store's own: whatever was told to be done recovers, and nothing else leaves a key behind.

use std::{fmt, sync::Arc};

use backup_core::{BackupMethod, KeyPrefix, KeyStore, MethodId, Operation, Purpose, StoredKey};
use backup_testkit::{Call, Fault, FaultyStore};
use portal_client::{BackUpOptions, Payload, Portal, RecoverOptions};

use crate::wallets::{Device, Mortal, TestClient, TestService, unseen};

/// Opens the user's store, as an app does when it starts.
pub type Open<'a> = &'a (dyn Fn() -> Arc<dyn KeyStore> + Sync);

/// A client with a wallet on a device, and a store for its keys.
pub struct Scene<'a> {
    service: &'a TestService,
    open: Open<'a>,
    client: TestClient,
    device: Device,
}

impl fmt::Debug for Scene<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene").field("client", &self.client).finish_non_exhaustive()
    }
}

/// Ends the device's process before each of its effects, one after the other.
pub async fn stops_at_every_effect(service: &TestService, open: Open<'_>) {
    for stop in 0.. {
        let scene = Scene::with_wallet(service, open).await;
        let mortal = Mortal::dying_before(stop);
        let app = scene.device.app(&service.url()).method(method(open()));
        let app = app.observed_by(mortal.clone()).build().expect("the app is set up");
        let is_whole = scene.back_up(&app).await.is_ok();
        assert!(is_whole || mortal.is_dead(), "it failed by itself");
        let completed = scene.recovers_or_has_left_nothing().await;
        assert!(completed || !is_whole, "it was told, and is gone");
        if !mortal.is_dead() {
            assert!(stop > 20, "only {stop} effects: do all go through the observer?");
            return;
        }
    }
}

/// Lets each call to the store fail, before its effect and after it.
pub async fn fails_at_every_call(service: &TestService, open: Open<'_>) {
    for (call, spared) in [(Call::Check, 0), (Call::Put, 0), (Call::Get, 0), (Call::Get, 1)] {
        let fault = Fault::on(call).sparing(spared);
        for fault in [fault, fault.after_effect()] {
            let scene = Scene::with_wallet(service, open).await;
            let store = FaultyStore::new(open());
            store.inject(fault);
            let made = scene.back_up_in(store).await;
            assert!(made.is_err(), "the fault of {call:?} was not met");
            scene.recovers_or_has_left_nothing().await;
        }
    }
}

impl<'a> Scene<'a> {
    /// A new client.
    pub async fn with_wallet(service: &'a TestService, open: Open<'a>) -> Self {
        let client = service.client().await;
        let device = client.device();
        let scene = Self { service, open, client, device };
        scene.app(open()).create_wallet(&unseen).await.expect("a wallet is made");
        scene
    }

    /// Makes a backup with a key in `store`.
    ///
    /// # Errors
    ///
    /// If it was stopped.
    pub async fn back_up_in(&self, store: impl KeyStore + 'static) -> portal_client::Result<()> {
        self.back_up(&self.app(store)).await
    }

    /// The same with an enrolment of its own.
    ///
    /// # Errors
    ///
    /// If it was stopped.
    pub async fn back_up_anew_in(
        &self,
        store: impl KeyStore + 'static,
    ) -> portal_client::Result<()> {
        let anew = BackUpOptions { enroll_anew: true, ..BackUpOptions::default() };
        self.app(store).back_up(&self.id(), &anew, &unseen).await.map(drop)
    }

    async fn back_up(&self, app: &Portal) -> portal_client::Result<()> {
        app.back_up(&self.id(), &BackUpOptions::default(), &unseen).await.map(drop)
    }

    /// Whether the backup completed, once the device has started again. Another one can be made,
    /// and recovers.
    pub async fn recovers_or_has_left_nothing(&self) -> bool {
        let app = self.app((self.open)());
        app.finish_interrupted().await.expect("what was interrupted is finished");
        let backups = app.status().await.expect("the service answers").backups;
        let completed = backups.iter().filter(|backup| backup.completed).count();
        assert_eq!(self.keys().await, completed, "a key for each backup, and no other");
        self.back_up(&app).await.expect("another backup is made");
        self.recovers().await;
        completed == 1
    }

    /// Brings the wallet to a new device, where it signs.
    pub async fn recovers(&self) {
        let device = self.client.device();
        let new = device.portal(&self.service.url(), &method((self.open)()));
        let options = RecoverOptions::default();
        new.recover(&self.id(), &options, &unseen).await.expect("the wallet comes back");
        new.sign(Payload::Message(b"m")).await.expect("it signs");
    }

    /// How many keys of the client are in the store.
    async fn keys(&self) -> usize {
        let context = &self.client.context;
        let (op, prefix) = (Operation::new(Purpose::Revoke, context), KeyPrefix::of(context));
        (self.open)().list(&op, &prefix).await.expect("the store lists its keys").len()
    }

    fn app(&self, store: impl KeyStore + 'static) -> Portal {
        self.device.portal(&self.service.url(), &method(store))
    }

    fn id(&self) -> MethodId {
        (self.open)().id()
    }
}

fn method(store: impl KeyStore + 'static) -> Arc<dyn BackupMethod> {
    Arc::new(StoredKey::new(store))
}
