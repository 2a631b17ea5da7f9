//! What an app asks about wallets and backups, and when it may clear a device.

use std::{sync::Arc, time::Duration};

use backup_core::{BackupMethod, Curve, MethodId};
use backup_testkit::MemoryStore;
use portal_api::ErrorId;
use portal_client::{BackUpOptions, ClearOptions, Curves, Error, Payload, Portal, RecoverOptions};
use portal_tests::{
    middle::{Answer, Asked, Meddler, Method, Middle, StatusCode},
    wallets::{Device, TestClient, TestService, memory_id, memory_method, on_runtime, unseen},
};

/// A client, and the stores of two methods that ask nobody anything.
struct Scene {
    service: TestService,
    client: TestClient,
    device: Device,
    one: Arc<dyn BackupMethod>,
    two: Arc<dyn BackupMethod>,
}

impl Scene {
    async fn begin() -> Self {
        let service = TestService::start().await;
        let client = service.client().await;
        let two = MemoryStore::with_id(MethodId::GDRIVE);
        Self {
            device: client.device(),
            service,
            client,
            one: memory_method(&MemoryStore::new()),
            two: memory_method(&two),
        }
    }

    fn app(&self) -> Portal {
        self.app_at(&self.service.url(), &self.device)
    }

    fn app_at(&self, url: &str, device: &Device) -> Portal {
        let app = device.app(url).method(Arc::clone(&self.one)).method(Arc::clone(&self.two));
        app.patience(Duration::from_millis(250)).build().unwrap()
    }
}

/// Lets no envelope through.
struct NoEnvelope;

impl Meddler for NoEnvelope {
    fn instead(&self, asked: &Asked) -> Option<Answer> {
        let is_put = asked.is(&Method::PUT, "/envelope");
        is_put.then(|| Answer::refusal(StatusCode::SERVICE_UNAVAILABLE, ErrorId::Error))
    }
}

async fn back_up(app: &Portal, method: &MethodId) {
    app.back_up(method, &BackUpOptions::default(), &unseen).await.unwrap();
}

#[test]
fn questions_before_during_and_after_a_wallet_are_answered_truly() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let app = scene.app();
        assert!(!app.does_wallet_exist(None).await.unwrap());
        assert!(!app.is_wallet_on_device(None).await.unwrap());
        assert!(!app.is_wallet_backed_up(None).await.unwrap());
        assert!(app.signing_share_pairs(None).await.unwrap().is_empty());
        app.create_wallet(&unseen).await.unwrap();
        assert!(app.does_wallet_exist(None).await.unwrap());
        assert!(app.is_wallet_on_device(None).await.unwrap());
        assert!(!app.is_wallet_backed_up(None).await.unwrap());
        assert!(!app.is_wallet_recoverable(None).await.unwrap());
        let pairs = app.signing_share_pairs(None).await.unwrap();
        assert_eq!((pairs.len(), pairs[0].curve, pairs[0].completed), (1, Curve::Ed25519, true));
        for _ in 0..2 {
            back_up(&app, &memory_id()).await;
        }
        back_up(&app, &MethodId::GDRIVE).await;
        assert!(app.is_wallet_backed_up(None).await.unwrap());
        assert!(app.is_wallet_recoverable(None).await.unwrap());
        let methods = app.available_recovery_methods(None).await.unwrap();
        assert_eq!(methods, [MethodId::GDRIVE, memory_id()], "each once");
        let pairs = app.backup_share_pairs(None).await.unwrap();
        let listed: Vec<_> = pairs.iter().map(|pair| (&pair.method, pair.completed)).collect();
        let memory = memory_id();
        assert_eq!(listed, [(&MethodId::GDRIVE, true), (&memory, true), (&memory, true)]);
        let new = scene.client.device();
        let elsewhere = scene.app_at(&scene.service.url(), &new);
        assert!(elsewhere.does_wallet_exist(None).await.unwrap());
        assert!(!elsewhere.is_wallet_on_device(None).await.unwrap());
        let options = RecoverOptions::default();
        elsewhere.provision_wallet(&memory_id(), &options, &unseen).await.unwrap();
        assert!(elsewhere.is_wallet_on_device(None).await.unwrap());
        elsewhere.sign(Payload::Message(b"m")).await.unwrap();
    });
}

#[test]
fn a_question_about_one_curve_is_about_its_wallet_alone() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let app = scene.app();
        app.create_wallet(&unseen).await.unwrap();
        back_up(&app, &memory_id()).await;
        for (curve, is_its) in [(Curve::Ed25519, true), (Curve::Secp256k1, false)] {
            let curve = Some(curve);
            assert_eq!(app.does_wallet_exist(curve).await.unwrap(), is_its);
            assert_eq!(app.is_wallet_on_device(curve).await.unwrap(), is_its);
            assert_eq!(app.is_wallet_backed_up(curve).await.unwrap(), is_its);
            assert_eq!(app.is_wallet_recoverable(curve).await.unwrap(), is_its);
            assert_eq!(
                app.available_recovery_methods(curve).await.unwrap().len(),
                usize::from(is_its)
            );
            assert_eq!(app.backup_share_pairs(curve).await.unwrap().len(), usize::from(is_its));
            assert_eq!(app.signing_share_pairs(curve).await.unwrap().len(), usize::from(is_its));
        }
        let other = scene.service.client().await;
        let device = other.device();
        let both = device.app(&scene.service.url()).method(Arc::clone(&scene.one));
        let both = both.curves(Curves::BOTH).build().unwrap();
        both.create_wallet(&unseen).await.unwrap();
        back_up(&both, &memory_id()).await;
        for curve in [None, Some(Curve::Ed25519), Some(Curve::Secp256k1)] {
            assert!(both.does_wallet_exist(curve).await.unwrap());
            assert!(both.is_wallet_on_device(curve).await.unwrap());
            assert_eq!(both.available_recovery_methods(curve).await.unwrap(), [memory_id()]);
            let count = if curve.is_none() { 2 } else { 1 };
            assert_eq!(both.backup_share_pairs(curve).await.unwrap().len(), count);
            assert_eq!(both.signing_share_pairs(curve).await.unwrap().len(), count);
        }
    });
}

#[test]
fn a_backup_by_a_method_that_the_app_does_not_bring_is_one_that_it_cannot_recover() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let app = scene.app();
        app.create_wallet(&unseen).await.unwrap();
        back_up(&app, &memory_id()).await;
        let other = scene.device.portal(&scene.service.url(), &scene.two);
        assert!(other.is_wallet_backed_up(None).await.unwrap());
        assert!(!other.is_wallet_recoverable(None).await.unwrap());
        assert_eq!(other.available_recovery_methods(None).await.unwrap(), []);
    });
}

#[test]
fn a_pending_backup_is_listed_and_counts_for_nothing() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let middle = Middle::before(scene.service.address()).await;
        let app = scene.app_at(&middle.url(), &scene.device);
        app.create_wallet(&unseen).await.unwrap();
        middle.meddle(NoEnvelope);
        app.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await.unwrap_err();
        let pairs = app.backup_share_pairs(None).await.unwrap();
        assert_eq!((pairs.len(), pairs[0].completed), (1, false));
        assert!(!app.is_wallet_backed_up(None).await.unwrap());
        assert!(!app.is_wallet_recoverable(None).await.unwrap());
    });
}

#[test]
fn a_device_is_not_cleared_before_a_backup_is_known_to_work() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let app = scene.app();
        app.clear_local_wallet(&ClearOptions::default()).await.unwrap();
        let addresses = app.create_wallet(&unseen).await.unwrap();
        let unproved = BackUpOptions { skip_trial: true, ..Default::default() };
        for is_backed_up in [false, true] {
            assert_eq!(app.is_wallet_backed_up(None).await.unwrap(), is_backed_up);
            let refused = app.clear_local_wallet(&ClearOptions::default()).await;
            assert!(matches!(refused, Err(Error::NotBackedUp)), "{refused:?}");
            app.sign(Payload::Message(b"it is still here")).await.unwrap();
            app.back_up(&memory_id(), &unproved, &unseen).await.unwrap();
        }
        back_up(&app, &MethodId::GDRIVE).await;
        app.clear_local_wallet(&ClearOptions::default()).await.unwrap();
        assert!(!app.is_wallet_on_device(None).await.unwrap());
        let recovered = app.recover(&memory_id(), &RecoverOptions::default(), &unseen).await;
        assert_eq!(recovered.unwrap().addresses, addresses);
    });
}

#[test]
fn a_device_is_cleared_when_the_app_insists_even_if_nobody_can_be_asked() {
    on_runtime(async {
        let mut scene = Scene::begin().await;
        let app = scene.app();
        app.create_wallet(&unseen).await.unwrap();
        scene.service.stop().await;
        let refused = app.clear_local_wallet(&ClearOptions::default()).await;
        assert!(matches!(refused, Err(Error::Unreachable(_))), "{refused:?}");
        assert!(app.is_wallet_on_device(None).await.unwrap());
        let insisting = ClearOptions { even_without_backup: true };
        app.clear_local_wallet(&insisting).await.unwrap();
        assert!(!app.is_wallet_on_device(None).await.unwrap());
    });
}

#[test]
fn a_device_that_was_replaced_is_cleared_without_a_question() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let old = scene.app();
        old.create_wallet(&unseen).await.unwrap();
        let options = BackUpOptions { by_notice: true, ..Default::default() };
        old.back_up(&memory_id(), &options, &unseen).await.unwrap();
        old.stored_client_backup_share(&memory_id(), true).await.unwrap();
        let refused = old.clear_local_wallet(&ClearOptions::default()).await;
        assert!(matches!(refused, Err(Error::NotBackedUp)), "an app's word proves nothing");
        let device = scene.client.device();
        let new = scene.app_at(&scene.service.url(), &device);
        new.recover(&memory_id(), &RecoverOptions::default(), &unseen).await.unwrap();
        old.clear_local_wallet(&ClearOptions::default()).await.unwrap();
        new.sign(Payload::Message(b"m")).await.unwrap();
    });
}
