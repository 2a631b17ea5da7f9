//! A device that stops before any effect, on its files or on the service, and starts again.

use std::{future::Future, sync::Arc};

use backup_core::MethodId;
use backup_testkit::MemoryStore;
use portal_client::{BackUpOptions, Error, Notice, Payload, Portal, RecoverOptions, Result};
use portal_tests::wallets::{
    Device, Mortal, TestClient, TestService, memory_id, memory_method, on_runtime, unseen,
};

/// A client with a device, before what is tried.
struct Scene<'a> {
    service: &'a TestService,
    client: TestClient,
    device: Device,
    store: MemoryStore,
}

impl<'a> Scene<'a> {
    async fn new(service: &'a TestService) -> Self {
        let client = service.client().await;
        let device = client.device();
        Self { service, client, device, store: MemoryStore::new() }
    }

    async fn with_wallet(service: &'a TestService) -> Self {
        let scene = Self::new(service).await;
        scene.app().create_wallet(&unseen).await.unwrap();
        scene
    }

    async fn with_backup(service: &'a TestService) -> Self {
        let scene = Self::with_wallet(service).await;
        back_up(scene.app(), false).await.unwrap();
        scene
    }

    fn app(&self) -> Portal {
        self.device.portal(&self.service.url(), &memory_method(&self.store))
    }

    fn mortal_app(&self, mortal: &Arc<Mortal>) -> Portal {
        let app = self.device.app(&self.service.url()).method(memory_method(&self.store));
        app.observed_by(mortal.clone()).build().unwrap()
    }

    /// The wallet on a device that was bought now. It signs there.
    async fn recover_elsewhere(&self) -> portal_client::Addresses {
        let device = self.client.device();
        let app = device.portal(&self.service.url(), &memory_method(&self.store));
        let options = RecoverOptions::default();
        let recovered = app.recover(&memory_id(), &options, &unseen).await.unwrap();
        app.sign(Payload::Message(b"m")).await.unwrap();
        recovered.addresses
    }
}

async fn back_up(app: Portal, enroll_anew: bool) -> Result<()> {
    let options = BackUpOptions { enroll_anew, ..BackUpOptions::default() };
    app.back_up(&memory_id(), &options, &unseen).await.map(drop)
}

/// Runs `operation` on a device that stops before the effect of number `stop`, for each `stop`, and
/// then `check`, which is told whether the operation had come to its end.
async fn stop_everywhere<'a, S, O, C>(
    setup: impl Fn() -> S,
    operation: impl Fn(Portal) -> O,
    check: impl Fn(Scene<'a>, bool) -> C,
) where
    S: Future<Output = Scene<'a>>,
    O: Future<Output = Result<()>>,
    C: Future<Output = ()>,
{
    for stop in 0.. {
        let scene = setup().await;
        let mortal = Mortal::dying_before(stop);
        let result = operation(scene.mortal_app(&mortal)).await;
        assert!(result.is_ok() || mortal.is_dead(), "it failed by itself: {result:?}");
        println!("stopped before effect {stop}: {result:?}");
        let (is_whole, is_over) = (result.is_ok(), !mortal.is_dead());
        check(scene, is_whole).await;
        if is_over {
            assert!(stop > 20, "only {stop} effects: do all go through the observer?");
            return;
        }
    }
}

#[test]
fn a_wallet_whose_creation_was_stopped_is_there_or_can_be_created() {
    on_runtime(async {
        let service = TestService::start().await;
        let create = async |app: Portal| app.create_wallet(&unseen).await.map(drop);
        stop_everywhere(
            || Scene::new(&service),
            create,
            |scene, is_whole| async move {
                let app = scene.app();
                app.finish_interrupted().await.unwrap();
                let is_there = app.addresses().await.unwrap().is_some();
                assert!(is_there || !is_whole, "it was told, and is gone");
                match app.create_wallet(&unseen).await {
                    Ok(_) => assert!(!is_there),
                    Err(error) => {
                        assert!(is_there && matches!(error, Error::WalletExists), "{error}");
                    }
                }
                app.sign(Payload::Message(b"m")).await.unwrap();
                assert_eq!(app.finish_interrupted().await.unwrap(), []);
            },
        )
        .await;
    });
}

#[test]
fn a_first_backup_that_was_stopped_is_there_or_has_left_nothing() {
    on_runtime(async {
        let service = TestService::start().await;
        let operation = |app| back_up(app, false);
        stop_everywhere(
            || Scene::with_wallet(&service),
            operation,
            |scene, is_whole| async move {
                let app = scene.app();
                app.finish_interrupted().await.unwrap();
                app.sign(Payload::Message(b"m")).await.unwrap();
                let completed = completed(&app).await;
                assert!(completed == 1 || !is_whole && completed == 0, "{completed} are completed");
                assert_eq!(scene.store.len(), completed, "no key without a backup");
                if completed == 1 {
                    back_up(app, false).await.unwrap();
                    assert_eq!(scene.store.len(), 1, "the sealer was kept: the next one is silent");
                } else {
                    back_up(app, false).await.unwrap();
                }
                scene.recover_elsewhere().await;
            },
        )
        .await;
    });
}

#[test]
fn a_new_enrolment_that_was_stopped_leaves_a_backup_that_recovers() {
    on_runtime(async {
        let service = TestService::start().await;
        let operation = |app| back_up(app, true);
        stop_everywhere(
            || Scene::with_backup(&service),
            operation,
            |scene, is_whole| async move {
                let before = scene.app().addresses().await.unwrap().unwrap();
                assert_eq!(scene.recover_elsewhere().await, before);
                let app = scene.app();
                app.finish_interrupted().await.unwrap();
                assert!(completed(&app).await == 2 || !is_whole);
                assert_eq!(scene.recover_elsewhere().await, before, "after tidying up, too");
            },
        )
        .await;
    });
}

#[test]
fn a_silent_backup_that_was_stopped_leaves_a_backup_that_recovers() {
    on_runtime(async {
        let service = TestService::start().await;
        let operation = |app| back_up(app, false);
        stop_everywhere(
            || Scene::with_backup(&service),
            operation,
            |scene, is_whole| async move {
                let app = scene.app();
                app.finish_interrupted().await.unwrap();
                assert!(completed(&app).await == 2 || !is_whole);
                back_up(app, false).await.unwrap();
                assert_eq!(scene.store.len(), 1, "all were silent");
                scene.recover_elsewhere().await;
            },
        )
        .await;
    });
}

#[test]
fn a_recovery_that_was_stopped_can_be_finished_or_begun_again() {
    on_runtime(async {
        let service = TestService::start().await;
        let setup = || async {
            let scene = Scene::with_backup(&service).await;
            Scene { device: scene.client.device(), ..scene }
        };
        let recover = async |app: Portal| {
            app.recover(&memory_id(), &RecoverOptions::default(), &unseen).await.map(drop)
        };
        stop_everywhere(setup, recover, |scene, is_whole| async move {
            let app = scene.app();
            app.finish_interrupted().await.unwrap();
            let is_live = app.status().await.unwrap().live;
            assert!(is_live || !is_whole, "it was told, and is not live");
            if is_live {
                app.sign(Payload::Message(b"m")).await.unwrap();
                back_up(app, false).await.unwrap();
                assert_eq!(scene.store.len(), 1, "what was opened was kept: this was silent");
            }
            scene.app().recover(&memory_id(), &RecoverOptions::default(), &unseen).await.unwrap();
            scene.app().sign(Payload::Message(b"m")).await.unwrap();
        })
        .await;
    });
}

#[test]
fn a_revocation_that_was_stopped_is_not_taken_for_a_service_that_lost_a_backup() {
    on_runtime(async {
        let service = TestService::start().await;
        let (kept, memory) = (MethodId::GDRIVE, memory_id());
        let keeper = MemoryStore::with_id(kept.clone());
        let setup = || async {
            let scene = Scene::with_backup(&service).await;
            let device = scene.device.app(&service.url());
            let app = device.method(memory_method(&keeper)).build().unwrap();
            app.back_up(&kept, &BackUpOptions::default(), &unseen).await.unwrap();
            scene
        };
        let revoke = async |app: Portal| app.revoke(&memory_id(), &unseen).await;
        stop_everywhere(setup, revoke, |scene, is_whole| {
            let memory = memory.clone();
            async move {
                let app = scene.app();
                let notices = app.finish_interrupted().await.unwrap();
                let finished = Notice::RevocationFinished { method: memory.clone() };
                assert!(notices.iter().all(|notice| *notice == finished), "{notices:?}");
                assert!(completed(&app).await == 1 || !is_whole);
                assert_eq!(scene.store.len() + 1, completed(&app).await, "a key for each backup");
                app.revoke(&memory, &unseen).await.unwrap();
                assert_eq!(completed(&app).await, 1);
                assert!(scene.store.is_empty(), "no key without a backup");
            }
        })
        .await;
    });
}

async fn completed(app: &Portal) -> usize {
    let backups = app.status().await.unwrap().backups;
    backups.iter().filter(|backup| backup.completed).count()
}
