//! Backups that the word of their app completes, and not a commit of the device.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use backup_core::{EncryptionKey, ErrorKind, MethodId};
use backup_testkit::MemoryStore;
use portal_api::{ErrorId, route};
use portal_client::{
    BackUpOptions, BackedUp, ClearOptions, Error, Notice, Payload, Portal, RecoverOptions,
};
use portal_tests::{
    middle::{Answer, Asked, Meddler, Method, Middle, StatusCode},
    wallets::{
        Device, Mortal, TestClient, TestService, memory_id, memory_method, on_runtime, unseen,
    },
};
use serde_json::json;

/// A wallet on a first device, with a method that keeps keys in memory.
struct Scene {
    service: TestService,
    client: TestClient,
    device: Device,
    store: MemoryStore,
}

impl Scene {
    /// Where the service keeps the ciphertexts.
    async fn managed() -> Self {
        Self::with_wallet(TestService::start().await).await
    }

    /// Where apps keep them.
    async fn self_managed() -> Self {
        let service = TestService::start_with(|options| options.backup_with_portal = Some(false));
        Self::with_wallet(service.await).await
    }

    async fn with_wallet(service: TestService) -> Self {
        let client = service.client().await;
        let device = client.device();
        let scene = Self { service, client, device, store: MemoryStore::new() };
        scene.app().create_wallet(&unseen).await.unwrap();
        scene
    }

    fn app(&self) -> Portal {
        self.app_at(&self.service.url(), &self.device)
    }

    fn app_at(&self, url: &str, device: &Device) -> Portal {
        device.portal(url, &memory_method(&self.store))
    }

    /// Recovers on a device that was bought now.
    async fn recover(&self, cipher_text: Option<String>) -> portal_client::Result<()> {
        let device = self.client.device();
        let app = self.app_at(&self.service.url(), &device);
        let options = RecoverOptions { cipher_text, ..Default::default() };
        app.recover(&memory_id(), &options, &unseen).await?;
        app.sign(Payload::Message(b"m")).await.map(drop)
    }
}

const BY_NOTICE: BackUpOptions =
    BackUpOptions { enroll_anew: false, skip_trial: false, by_notice: true };

async fn back_up(app: &Portal) -> BackedUp {
    app.back_up(&memory_id(), &BY_NOTICE, &unseen).await.unwrap()
}

fn is_state_invalid(result: &portal_client::Result<()>) -> bool {
    matches!(result, Err(Error::Service { id: ErrorId::StateInvalid, .. }))
}

#[test]
fn where_apps_keep_ciphertexts_their_word_completes_and_their_copy_recovers() {
    on_runtime(async {
        let scene = Scene::self_managed().await;
        let app = scene.app();
        let made = back_up(&app).await;
        assert!(made.enrolled && !made.proved);
        assert!(!app.is_wallet_backed_up(None).await.unwrap());
        app.stored_client_backup_share(&memory_id(), false).await.unwrap();
        assert!(!app.is_wallet_backed_up(None).await.unwrap());
        let early = scene.recover(Some(made.cipher_text.clone())).await;
        assert!(matches!(early, Err(Error::NoBackup(_))), "{early:?}");
        app.stored_client_backup_share(&memory_id(), true).await.unwrap();
        assert!(app.is_wallet_backed_up(None).await.unwrap());
        let twice = app.stored_client_backup_share(&memory_id(), true).await;
        assert!(is_state_invalid(&twice), "{twice:?}");
        let without = scene.recover(None).await;
        assert!(matches!(without, Err(Error::Damaged(_))), "{without:?}");
        scene.recover(Some(made.cipher_text)).await.unwrap();
    });
}

#[test]
fn where_the_service_keeps_ciphertexts_it_has_that_of_a_notice_too() {
    on_runtime(async {
        let scene = Scene::managed().await;
        let app = scene.app();
        let made = back_up(&app).await;
        assert!(!app.is_wallet_backed_up(None).await.unwrap());
        app.stored_client_backup_share(&memory_id(), true).await.unwrap();
        scene.recover(None).await.unwrap();
        scene.recover(Some(made.cipher_text)).await.unwrap();
    });
}

#[test]
fn a_newer_backup_by_notice_enrolls_anew_and_nothing_looks_rolled_back() {
    on_runtime(async {
        for scene in [Scene::managed().await, Scene::self_managed().await] {
            let mut made = Vec::new();
            for _ in 0..2 {
                let app = scene.app();
                let backup = back_up(&app).await;
                assert!(backup.enrolled && backup.notices.is_empty());
                app.stored_client_backup_share(&memory_id(), true).await.unwrap();
                assert_eq!(app.status().await.unwrap().notices, []);
                made.push(backup.cipher_text);
            }
            assert_eq!(scene.store.len(), 2, "nothing retires by the word of an app");
            let device = scene.client.device();
            let app = scene.app_at(&scene.service.url(), &device);
            for cipher_text in made {
                let options =
                    RecoverOptions { cipher_text: Some(cipher_text), ..Default::default() };
                app.recover(&memory_id(), &options, &unseen).await.unwrap();
                assert_eq!(app.status().await.unwrap().notices, []);
            }
        }
    });
}

#[test]
fn a_ciphertext_of_another_client_or_none_recovers_nothing() {
    on_runtime(async {
        let (scene, other) = (Scene::self_managed().await, Scene::self_managed().await);
        for scene in [&scene, &other] {
            back_up(&scene.app()).await;
            scene.app().stored_client_backup_share(&memory_id(), true).await.unwrap();
        }
        let foreign = back_up(&other.app()).await.cipher_text;
        let refused = scene.recover(Some(foreign)).await;
        assert!(matches!(refused, Err(Error::NoBackup(_))), "{refused:?}");
        let refused = scene.recover(Some("0a0b".into())).await.unwrap_err();
        assert_eq!(refused.backup_kind(), Some(ErrorKind::Damaged));
        scene.app().sign(Payload::Message(b"m")).await.unwrap();
    });
}

#[test]
fn what_devices_commit_is_not_left_to_a_notice_and_the_user_is_asked_nothing() {
    on_runtime(async {
        let scene = Scene::managed().await;
        let app = scene.app();
        app.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await.unwrap();
        let refused = app.back_up(&memory_id(), &BY_NOTICE, &unseen).await;
        assert!(matches!(refused, Err(Error::InvalidInput(_))), "{refused:?}");
        assert_eq!(scene.store.len(), 1, "nothing was enrolled");
        app.clear_local_wallet(&ClearOptions::default()).await.unwrap();
        scene.recover(None).await.unwrap();
    });
}

#[test]
fn a_generated_share_recovers_with_the_key_that_the_app_wrote_once_it_says_so() {
    on_runtime(async {
        for (scene, is_managed) in
            [(Scene::managed().await, true), (Scene::self_managed().await, false)]
        {
            let app = scene.app();
            let addresses = app.addresses().await.unwrap().unwrap();
            let made = app.generate_backup_share(&unseen).await.unwrap();
            let key = || EncryptionKey::copied_from(made.encryption_key.expose());
            let cipher_text = (!is_managed).then(|| made.cipher_text.clone());
            let options = RecoverOptions { cipher_text, ..Default::default() };
            let device = scene.client.device();
            let new = scene.app_at(&scene.service.url(), &device);
            let early = new.recover_with_key(key(), &options, &unseen).await;
            assert!(matches!(early, Err(Error::NoBackup(_))), "{early:?}");
            app.stored_client_backup_share(&MethodId::CUSTOM, true).await.unwrap();
            let wrong = EncryptionKey::copied_from(&[7; 32]);
            let wrong = new.recover_with_key(wrong, &options, &unseen).await.unwrap_err();
            assert_eq!(wrong.backup_kind(), Some(ErrorKind::Unauthorized));
            app.sign(Payload::Message(b"it is live still")).await.unwrap();
            let recovered = new.recover_with_key(key(), &options, &unseen).await.unwrap();
            assert_eq!((recovered.addresses, recovered.backup), (addresses, made.backup));
            new.sign(Payload::Message(b"m")).await.unwrap();
            let shown = format!("{:?}", new.status().await.unwrap());
            assert!(shown.contains("proved: true"), "a recovery from it proves it: {shown}");
        }
    });
}

#[test]
fn a_backup_by_notice_that_was_stopped_was_handed_over_or_leaves_nothing() {
    on_runtime(async {
        for scene in [Scene::managed().await, Scene::self_managed().await] {
            for stop in 0.. {
                let mortal = Mortal::dying_before(stop);
                let app = scene.device.app(&scene.service.url());
                let app = app.method(memory_method(&scene.store)).observed_by(mortal.clone());
                let keys = scene.store.len();
                let made = app.build().unwrap().back_up(&memory_id(), &BY_NOTICE, &unseen).await;
                let app = scene.app();
                app.finish_interrupted().await.unwrap();
                app.sign(Payload::Message(b"m")).await.unwrap();
                let told = app.stored_client_backup_share(&memory_id(), true).await;
                // It may stop when it has handed over, and has not said so.
                assert!(told.is_ok() || made.is_err(), "{stop}: {told:?} after {made:?}");
                assert_eq!(scene.store.len() - keys, usize::from(told.is_ok()), "{stop}");
                if let Ok(made) = made {
                    scene.recover(Some(made.cipher_text)).await.unwrap();
                    assert!(stop > 20, "only {stop} effects");
                    break;
                }
            }
        }
    });
}

/// Lets the app speak before the device drops what it has given up.
struct Hasty {
    word: Asked,
    spoke: Arc<AtomicBool>,
}

impl Meddler for Hasty {
    fn before(&self, asked: &Asked) -> Vec<Asked> {
        let is_drop = asked.is(&Method::POST, "/drop");
        self.spoke.fetch_or(is_drop, Ordering::SeqCst);
        if is_drop { vec![self.word.clone()] } else { Vec::new() }
    }
}

#[test]
fn a_key_is_kept_if_the_app_spoke_for_its_backup_before_the_device_gave_it_up() {
    on_runtime(async {
        for is_late in [false, true] {
            let scene = Scene::managed().await;
            let middle = Middle::before(scene.service.address()).await;
            let word = stopped_at_the_end(&scene, &middle).await;
            let spoke = Arc::new(AtomicBool::new(!is_late));
            if is_late {
                middle.meddle(Hasty { word, spoke: Arc::clone(&spoke) });
            } else {
                assert!(middle.ask(&word).await.status.is_success());
            }
            let app = scene.app_at(&middle.url(), &scene.device);
            let notices = app.finish_interrupted().await.unwrap();
            assert!(spoke.load(Ordering::SeqCst));
            let is_kept = |notice: &Notice| match notice {
                Notice::BackupFinished { .. } => !is_late,
                Notice::BackupLeft { .. } => is_late,
                _ => false,
            };
            assert!(notices.iter().any(is_kept), "{notices:?}");
            middle.be_honest();
            scene.recover(None).await.unwrap();
        }
    });
}

/// The same, and the device does not hear that it came too late.
struct HastyAndDeaf(Hasty);

impl Meddler for HastyAndDeaf {
    fn before(&self, asked: &Asked) -> Vec<Asked> {
        self.0.before(asked)
    }

    fn changed(&self, asked: &Asked, answer: Answer) -> Answer {
        if asked.is(&Method::POST, "/drop") {
            Answer { status: StatusCode::BAD_GATEWAY, body: Default::default(), ..answer }
        } else {
            answer
        }
    }
}

#[test]
fn a_key_is_kept_while_it_is_not_known_whether_its_backup_was_dropped() {
    on_runtime(async {
        let scene = Scene::managed().await;
        let middle = Middle::before(scene.service.address()).await;
        let word = stopped_at_the_end(&scene, &middle).await;
        let spoke = Arc::new(AtomicBool::new(false));
        middle.meddle(HastyAndDeaf(Hasty { word, spoke: Arc::clone(&spoke) }));
        let app = scene.device.app(&middle.url()).method(memory_method(&scene.store));
        let app = app.patience(Duration::from_millis(250)).build().unwrap();
        app.finish_interrupted().await.unwrap_err();
        assert!(spoke.load(Ordering::SeqCst));
        assert_eq!(scene.store.len(), 1, "its key is there");
        middle.be_honest();
        app.finish_interrupted().await.unwrap();
        scene.recover(None).await.unwrap();
    });
}

/// Has a backup stop at its last effects, when the envelope is stored and nothing is handed over;
/// and says by which word the app would complete it.
async fn stopped_at_the_end(scene: &Scene, middle: &Middle) -> Asked {
    let mortal = Mortal::dying_before(last_stop(scene).await);
    let app = scene.device.app(&middle.url());
    let app = app.method(memory_method(&scene.store)).observed_by(mortal).build().unwrap();
    app.back_up(&memory_id(), &BY_NOTICE, &unseen).await.unwrap_err();
    let body = json!({ "backupMethod": memory_id().as_str(), "success": true });
    let word = Asked { method: Method::PUT, ..Asked::json(route::STORED_SHARE, &body) };
    word.with_key(&scene.client.key)
}

/// The last effect before which a backup by notice comes to nothing, as seen on another client.
async fn last_stop(scene: &Scene) -> usize {
    let client = scene.service.client().await;
    let device = client.device();
    let (mortal, store) = (Mortal::dying_before(usize::MAX), MemoryStore::new());
    let app = || device.app(&scene.service.url()).method(memory_method(&store));
    app().build().unwrap().create_wallet(&unseen).await.unwrap();
    back_up(&app().observed_by(mortal.clone()).build().unwrap()).await;
    // The journal is cleared by a rename, and its folder is synced after that.
    mortal.seen() - 2
}
