//! A wallet's life with a service that really runs: create, sign, back up, lose, recover, revoke.

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use backup_core::{
    BackupMethod, ErrorKind, MethodId, Progress, Result, Stage, async_trait, secrecy::SecretString,
};
use backup_methods_password::{Cost, Password, PasswordPrompt, PasswordRequest};
use backup_testkit::MemoryStore;
use portal_client::{
    BackUpOptions, ClearOptions, Curves, Error, ErrorId, Expected, Namespace, Notice, Payload,
    Portal, RecoverOptions, Signature,
};
use portal_tests::wallets::{
    Device, TestClient, TestService, memory_id, memory_method, on_runtime, unseen,
};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

/// Types one password after another, the last one again and again.
#[derive(Debug)]
struct Typist {
    passwords: Vec<&'static str>,
    typed: Arc<AtomicUsize>,
}

#[async_trait]
impl PasswordPrompt for Typist {
    async fn password(&self, _: &PasswordRequest<'_>) -> Result<SecretString> {
        let typed = self.typed.fetch_add(1, Ordering::SeqCst);
        let password = self.passwords.get(typed).or(self.passwords.last());
        Ok(SecretString::from(*password.unwrap()))
    }
}

const RIGHT: &str = "seven teal lanterns drift";
const WRONG: &str = "open sesame please now";

/// A password method whose user types these, and how often they were asked.
fn typing(passwords: &[&'static str]) -> (Arc<dyn BackupMethod>, Arc<AtomicUsize>) {
    let typed = Arc::new(AtomicUsize::new(0));
    let typist = Typist { passwords: passwords.to_vec(), typed: Arc::clone(&typed) };
    (Arc::new(Password::new(typist).with_cost(Cost::LEAST)), typed)
}

/// A wallet on a first device, with a method that keeps keys in memory.
struct Scene {
    service: TestService,
    client: TestClient,
    first: Device,
    store: MemoryStore,
}

impl Scene {
    async fn begin() -> Self {
        let service = TestService::start().await;
        let client = service.client().await;
        let first = client.device();
        let scene = Self { service, client, first, store: MemoryStore::new() };
        scene.first_app().create_wallet(&unseen).await.unwrap();
        scene
    }

    fn first_app(&self) -> Portal {
        self.first.portal(&self.service.url(), &memory_method(&self.store))
    }

    /// The app on a device that was bought now.
    fn new_app(&self) -> (Device, Portal) {
        let device = self.client.device();
        let app = device.portal(&self.service.url(), &memory_method(&self.store));
        (device, app)
    }
}

async fn back_up(app: &Portal) -> portal_client::BackedUp {
    app.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await.unwrap()
}

async fn signs(app: &Portal) -> bool {
    match app.sign(Payload::Message(b"pay nobody")).await {
        Ok(Signature::Ed25519(_)) => true,
        Ok(other) => panic!("a signature on another curve: {other:?}"),
        Err(Error::NotLive) => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_wallet_on_both_curves_is_made_backed_up_lost_and_recovered_with_a_password() {
    on_runtime(async {
        let service = TestService::start().await;
        let client = service.client().await;
        let (device, (method, asked)) = (client.device(), typing(&[RIGHT]));
        let app = device.app(&service.url()).method(method).curves(Curves::BOTH).build().unwrap();
        let addresses = app.create_wallet(&unseen).await.unwrap();
        assert!(addresses.address(Namespace::Eip155).unwrap().starts_with("0x"));
        assert!(matches!(app.sign(Payload::Digest(&[7; 32])).await.unwrap(), Signature::Ecdsa(_)));
        let made = app.back_up(&MethodId::PASSWORD, &BackUpOptions::default(), &unseen).await;
        let made = made.unwrap();
        assert!(made.enrolled && made.proved);
        assert_eq!(asked.load(Ordering::SeqCst), 2, "to choose it, and to prove the backup");
        let again = app.back_up(&MethodId::PASSWORD, &BackUpOptions::default(), &unseen).await;
        let again = again.unwrap();
        assert!(!again.enrolled && again.proved, "it has the slot of a proved one");
        assert_eq!(asked.load(Ordering::SeqCst), 2, "a further backup asks nobody");

        let device = client.device();
        let (method, asked) = typing(&[WRONG, RIGHT]);
        let app = device.app(&service.url()).method(method).curves(Curves::BOTH).build().unwrap();
        assert!(matches!(app.sign(Payload::Digest(&[7; 32])).await, Err(Error::NoWallet)));
        let options =
            RecoverOptions { expected: Some(addresses.clone().into()), ..Default::default() };
        let recovered = app.recover(&MethodId::PASSWORD, &options, &unseen).await.unwrap();
        assert_eq!((recovered.addresses, recovered.backup), (addresses, again.backup));
        assert_eq!(asked.load(Ordering::SeqCst), 2, "a wrong password, then the right one");
        assert!(matches!(app.sign(Payload::Digest(&[7; 32])).await.unwrap(), Signature::Ecdsa(_)));
        assert!(signs(&app).await);
        let third = app.back_up(&MethodId::PASSWORD, &BackUpOptions::default(), &unseen).await;
        assert!(!third.unwrap().enrolled, "a device that opened a slot backs up silently");
    });
}

#[test]
fn a_wrong_password_recovers_nothing_and_changes_nothing() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let app = scene.first.portal(&scene.service.url(), &typing(&[RIGHT]).0);
        app.back_up(&MethodId::PASSWORD, &BackUpOptions::default(), &unseen).await.unwrap();
        let (device, (method, asked)) = (scene.client.device(), typing(&[WRONG]));
        let options = RecoverOptions { attempts: Some(2), ..Default::default() };
        let thief = device.portal(&scene.service.url(), &method);
        let error = thief.recover(&MethodId::PASSWORD, &options, &unseen).await.unwrap_err();
        assert_eq!(error.backup_kind(), Some(ErrorKind::Unauthorized));
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        assert!(signs(&app).await);
        assert_eq!(thief.addresses().await.unwrap(), None);
    });
}

#[test]
fn a_password_that_was_mistyped_when_it_was_chosen_makes_no_backup() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let (method, _) = typing(&[WRONG, RIGHT]);
        let app = scene.first.portal(&scene.service.url(), &method);
        let made = app.back_up(&MethodId::PASSWORD, &BackUpOptions::default(), &unseen).await;
        assert_eq!(made.unwrap_err().backup_kind(), Some(ErrorKind::Unauthorized));
        let status = app.status().await.unwrap();
        assert_eq!((status.backups, status.notices), (vec![], vec![]));
        let made = app.back_up(&MethodId::PASSWORD, &BackUpOptions::default(), &unseen).await;
        assert!(made.unwrap().proved);
    });
}

#[test]
fn progress_ends_with_done_and_done_is_said_once() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let seen = Mutex::new(Vec::new());
        let sink = |progress: Progress| seen.lock().unwrap().push(progress);
        let app = scene.first_app();
        app.back_up(&memory_id(), &BackUpOptions::default(), &sink).await.unwrap();
        app.revoke(&MethodId::GDRIVE, &unseen).await.unwrap();
        let seen = seen.lock().unwrap().clone();
        let done = Progress::Stage(Stage::Done);
        assert_eq!(seen.last(), Some(&done));
        assert_eq!(seen.iter().filter(|progress| **progress == done).count(), 1);
    });
}

#[test]
fn a_second_wallet_is_refused_and_the_first_stays() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let app = scene.first_app();
        let addresses = app.addresses().await.unwrap();
        assert!(addresses.is_some());
        for app in [scene.first_app(), scene.new_app().1] {
            assert!(matches!(app.create_wallet(&unseen).await, Err(Error::WalletExists)));
        }
        assert_eq!(app.addresses().await.unwrap(), addresses);
        assert!(signs(&app).await);
    });
}

#[test]
fn the_replaced_device_signs_no_more_and_its_backups_are_named() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let old = scene.first_app();
        let made = back_up(&old).await;
        let (_device, new) = scene.new_app();
        let recovered = new.recover(&memory_id(), &RecoverOptions::default(), &unseen).await;
        let recovered = recovered.unwrap();
        assert_eq!(recovered.backup, made.backup);
        let named: Vec<_> = recovered.replaced_device_made.iter().map(|made| &made.id).collect();
        assert_eq!(named, [&made.backup]);
        assert!(signs(&new).await);
        assert!(!signs(&old).await);
        let status = old.status().await.unwrap();
        assert!(!status.live && status.notices.contains(&Notice::NotLive));
        let refused = old.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await;
        assert!(matches!(refused, Err(Error::NotLive)));
        old.recover(&memory_id(), &RecoverOptions::default(), &unseen).await.unwrap();
        assert!(signs(&old).await && !signs(&new).await);
    });
}

#[test]
fn a_wallet_that_is_not_the_expected_one_is_not_recovered() {
    on_runtime(async {
        let scene = Scene::begin().await;
        back_up(&scene.first_app()).await;
        let other = Scene::begin().await.first_app().addresses().await.unwrap().unwrap();
        let address = other.address(Namespace::Solana).unwrap();
        let (_device, new) = scene.new_app();
        for expected in
            [Expected::Wallet(other), Expected::Addresses(vec![(Namespace::Solana, address)])]
        {
            let options = RecoverOptions { expected: Some(expected), ..Default::default() };
            let error = new.recover(&memory_id(), &options, &unseen).await.unwrap_err();
            assert!(matches!(error, Error::OtherWallet(_) | Error::Method(_)), "{error}");
        }
        assert!(signs(&scene.first_app()).await);
    });
}

#[test]
fn a_new_enrolment_keeps_the_old_key_until_its_grace_is_over() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let app = scene.first_app();
        back_up(&app).await;
        let anew = BackUpOptions { enroll_anew: true, ..Default::default() };
        assert!(app.back_up(&memory_id(), &anew, &unseen).await.unwrap().enrolled);
        assert_eq!(scene.store.len(), 2);
        let impatient = scene
            .first
            .app(&scene.service.url())
            .method(memory_method(&scene.store))
            .grace(Duration::ZERO)
            .build()
            .unwrap();
        assert_eq!(impatient.finish_interrupted().await.unwrap(), []);
        assert_eq!(scene.store.len(), 2, "the service has a backup of the old enrolment still");
    });
}

#[test]
fn an_old_key_goes_when_no_backup_is_of_it_and_the_new_one_is_proved() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let app = scene.first_app();
        let first = back_up(&app).await;
        let anew = BackUpOptions { enroll_anew: true, ..Default::default() };
        app.back_up(&memory_id(), &anew, &unseen).await.unwrap();
        revoke_set(&scene, first.backup.as_str()).await;
        assert_eq!(app.finish_interrupted().await.unwrap(), [], "its grace has just begun");
        let impatient = scene
            .first
            .app(&scene.service.url())
            .method(memory_method(&scene.store))
            .grace(Duration::ZERO)
            .build()
            .unwrap();
        let notices = impatient.finish_interrupted().await.unwrap();
        assert_eq!(notices, [Notice::Retired { method: memory_id() }]);
        assert_eq!(scene.store.len(), 1);
        let (_device, new) = scene.new_app();
        new.recover(&memory_id(), &RecoverOptions::default(), &unseen).await.unwrap();
    });
}

/// Has the service destroy one set, as its own retiring does.
async fn revoke_set(scene: &Scene, backup: &str) {
    let service = scene.service.running().service();
    let mut write = service.store.write().await.unwrap();
    let backup = backup_core::BackupId::new(backup).unwrap();
    write.delete_backup(&scene.client.context.client, &backup).await.unwrap();
    write.commit().await.unwrap();
}

#[test]
fn a_revoked_method_recovers_nothing_and_leaves_no_key() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let app = scene
            .first
            .app(&scene.service.url())
            .method(memory_method(&scene.store))
            .method(typing(&[RIGHT]).0)
            .build()
            .unwrap();
        back_up(&app).await;
        let error = app.revoke(&memory_id(), &unseen).await.unwrap_err();
        let is_refused = matches!(error, Error::Service { id: ErrorId::StateInvalid, .. });
        assert!(is_refused && scene.store.len() == 1, "it is the last one: {error}");
        app.back_up(&MethodId::PASSWORD, &BackUpOptions::default(), &unseen).await.unwrap();
        app.revoke(&memory_id(), &unseen).await.unwrap();
        assert!(scene.store.is_empty());
        app.revoke(&memory_id(), &unseen).await.unwrap();
        let (_device, new) = scene.new_app();
        let error = new.recover(&memory_id(), &RecoverOptions::default(), &unseen).await;
        assert!(matches!(error, Err(Error::NoBackup(_))));
        assert!(back_up(&app).await.enrolled, "there is nothing to make a silent one of");
    });
}

#[test]
fn a_service_set_back_to_yesterday_is_noticed_and_nothing_is_deleted() {
    on_runtime(async {
        let mut scene = Scene::begin().await;
        back_up(&scene.first_app()).await;
        scene.service.stop().await;
        let yesterday = fs::read(scene.service.folder().join("portal.db")).unwrap();
        scene.service.start_again().await;
        back_up(&scene.first_app()).await;
        scene.service.stop().await;
        for ending in ["-wal", "-shm"] {
            let _ = fs::remove_file(scene.service.folder().join(format!("portal.db{ending}")));
        }
        fs::write(scene.service.folder().join("portal.db"), yesterday).unwrap();
        scene.service.start_again().await;
        let app = scene.first_app();
        let rolled_back = Notice::RolledBack { method: memory_id() };
        assert!(app.status().await.unwrap().notices.contains(&rolled_back));
        assert!(app.finish_interrupted().await.unwrap().contains(&rolled_back));
        assert_eq!(scene.store.len(), 1, "nothing was deleted");
        let made = back_up(&app).await;
        assert!(made.enrolled && made.notices.contains(&rolled_back));
        assert!(app.status().await.unwrap().notices.is_empty());
    });
}

#[test]
fn a_damaged_head_is_passed_over_and_an_older_backup_recovers() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let app = scene.first_app();
        let (older, head) = (back_up(&app).await.backup, back_up(&app).await.backup);
        damage(&scene, head.as_str()).await;
        let (_device, new) = scene.new_app();
        let recovered = new.recover(&memory_id(), &RecoverOptions::default(), &unseen).await;
        let recovered = recovered.unwrap();
        assert_eq!(recovered.backup, older);
        let named = |notice: &Notice| match notice {
            Notice::BackupUnusable { backup, .. } => *backup == head,
            _ => false,
        };
        assert!(recovered.notices.iter().any(named), "{:?}", recovered.notices);
        assert!(signs(&new).await);
        assert!(back_up(&new).await.enrolled, "the head is none that this device knows");
    });
}

/// Changes a stored envelope, as a bad disk does.
async fn damage(scene: &Scene, backup: &str) {
    let options = SqliteConnectOptions::new().filename(scene.service.folder().join("portal.db"));
    let mut database = options.connect().await.unwrap();
    let damaged = sqlx::query("UPDATE backup_sets SET envelope = envelope || 'A' WHERE id = $1")
        .bind(backup)
        .execute(&mut database)
        .await;
    assert_eq!(damaged.unwrap().rows_affected(), 1);
    database.close().await.unwrap();
}

#[test]
fn a_key_of_another_client_is_refused() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let other = scene.service.client().await;
        let mixed = TestClient { context: scene.client.context.clone(), key: other.key };
        let device = mixed.device();
        let app = device.portal(&scene.service.url(), &memory_method(&scene.store));
        assert!(matches!(app.status().await, Err(Error::OtherClient { .. })));
        let refused = app.create_wallet(&unseen).await;
        assert!(matches!(refused, Err(Error::OtherClient { .. })));
    });
}

#[test]
fn a_cleared_device_has_nothing_and_recovers() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let app = scene.first_app();
        let addresses = app.addresses().await.unwrap();
        back_up(&app).await;
        app.clear_local_wallet(&ClearOptions::default()).await.unwrap();
        assert_eq!(app.addresses().await.unwrap(), None);
        assert!(matches!(app.sign(Payload::Message(b"m")).await, Err(Error::NoWallet)));
        app.recover(&memory_id(), &RecoverOptions::default(), &unseen).await.unwrap();
        assert_eq!(app.addresses().await.unwrap(), addresses);
        assert!(signs(&app).await);
    });
}

#[test]
fn operations_of_one_wallet_take_turns() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let (one, two) = (scene.first_app(), scene.first_app());
        let (made, first, second) = tokio::join!(back_up(&one), signs(&two), signs(&one));
        assert!(made.enrolled && first && second);
    });
}

#[test]
fn a_service_that_is_not_there_is_unreachable_and_patience_ends() {
    on_runtime(async {
        let mut scene = Scene::begin().await;
        let patience = Duration::from_millis(300);
        let url = scene.service.url();
        let app = scene.first.app(&url).patience(patience).build().unwrap();
        scene.service.stop().await;
        let began = std::time::Instant::now();
        let error = app.sign(Payload::Message(b"m")).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable(_)), "{error}");
        assert!(began.elapsed() < Duration::from_secs(5));
        assert!(app.addresses().await.unwrap().is_some(), "this asks nobody");
    });
}
