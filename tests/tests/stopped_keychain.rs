//! Backups in a real keychain that stop on the way: at any effect of the device, and at any of the
//! keychain's own.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use backup_core::{
    BackupMethod, EncryptionContext, KeyPrefix, KeyStore, MethodId, Operation, Purpose, StoredKey,
};
use backup_methods_keychain::Keychain;
use backup_testkit::{Call, Fault, FaultyStore, SessionBus};
use portal_client::{BackUpOptions, Payload, Portal, RecoverOptions};
use portal_tests::wallets::{Device, Mortal, TestClient, TestService, on_runtime, unseen};

const PASSWORD: &str = "the login password";

#[test]
fn a_backup_in_the_keychain_that_was_stopped_recovers_or_has_left_nothing() {
    let bus = SessionBus::enter();
    let home = tempfile::tempdir().unwrap();
    let _keyring = bus.keyring(home.path(), PASSWORD);
    on_runtime(async {
        let service = TestService::start().await;
        for stop in 0.. {
            let scene = Scene::with_wallet(&service).await;
            let mortal = Mortal::dying_before(stop);
            let app = scene.device.app(&service.url()).method(method(Keychain::system()));
            let app = app.observed_by(mortal.clone()).build().unwrap();
            let is_whole = app.back_up(&id(), &BackUpOptions::default(), &unseen).await.is_ok();
            assert!(is_whole || mortal.is_dead(), "it failed by itself");
            let completed = scene.recovers_or_has_left_nothing().await;
            assert!(completed || !is_whole, "it was told, and is gone");
            if !mortal.is_dead() {
                assert!(stop > 20, "only {stop} effects: do all go through the observer?");
                break;
            }
        }
    });
}

#[test]
fn a_backup_whose_keychain_failed_recovers_or_has_left_nothing() {
    let bus = SessionBus::enter();
    let home = tempfile::tempdir().unwrap();
    let _keyring = bus.keyring(home.path(), PASSWORD);
    on_runtime(async {
        let service = TestService::start().await;
        for (call, spared) in [(Call::Check, 0), (Call::Put, 0), (Call::Get, 0), (Call::Get, 1)] {
            let fault = Fault::on(call).sparing(spared);
            for fault in [fault, fault.after_effect()] {
                let scene = Scene::with_wallet(&service).await;
                let store = FaultyStore::new(Keychain::system());
                store.inject(fault);
                let app = scene.device.portal(&service.url(), &method(store));
                let made = app.back_up(&id(), &BackUpOptions::default(), &unseen).await;
                assert!(made.is_err(), "the fault of {call:?} was not met");
                scene.recovers_or_has_left_nothing().await;
            }
        }
    });
}

struct Scene<'a> {
    service: &'a TestService,
    client: TestClient,
    device: Device,
}

impl<'a> Scene<'a> {
    async fn with_wallet(service: &'a TestService) -> Self {
        let client = service.client().await;
        let device = client.device();
        let scene = Self { service, client, device };
        scene.app().create_wallet(&unseen).await.unwrap();
        scene
    }

    fn app(&self) -> Portal {
        self.device.portal(&self.service.url(), &method(Keychain::system()))
    }

    /// Whether the backup completed. Another one can be made, and recovers.
    async fn recovers_or_has_left_nothing(&self) -> bool {
        let app = self.app();
        app.finish_interrupted().await.unwrap();
        let backups = app.status().await.unwrap().backups;
        let completed = backups.iter().filter(|backup| backup.completed).count();
        assert_eq!(keys(&self.client.context).await, completed, "no key without a backup");
        app.back_up(&id(), &BackUpOptions::default(), &unseen).await.unwrap();
        let device = self.client.device();
        let new = device.portal(&self.service.url(), &method(Keychain::system()));
        new.recover(&id(), &RecoverOptions::default(), &unseen).await.unwrap();
        new.sign(Payload::Message(b"m")).await.unwrap();
        completed == 1
    }
}

fn id() -> MethodId {
    Keychain::system().id()
}

fn method(store: impl KeyStore + 'static) -> Arc<dyn BackupMethod> {
    Arc::new(StoredKey::new(store))
}

/// How many keys of the client are in the keychain.
async fn keys(client: &EncryptionContext) -> usize {
    let op = Operation::new(Purpose::Revoke, client);
    Keychain::system().list(&op, &KeyPrefix::of(client)).await.unwrap().len()
}
