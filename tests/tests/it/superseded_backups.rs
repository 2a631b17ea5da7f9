//! What `inventory` shows, and what may be removed of it: nothing that is needed, whoever lists it.

use std::sync::{Arc, Mutex};

use backup_core::{
    BackupId, BackupMethod, EncryptionKey, Error, ErrorKind, KeyName, KeyPrefix, KeyStore,
    MethodId, Operation, Purpose, Result, StoredKey, async_trait,
};
use backup_testkit::{Call, Fault, FaultyStore, MemoryStore};
use portal_client::{BackUpOptions, Inventory, KeyState, Notice, Portal, RecoverOptions};
use portal_tests::wallets::{
    Device, Mortal, TestClient, TestService, memory_id, memory_method, on_runtime, unseen,
};

struct Scene {
    service: TestService,
    client: TestClient,
    device: Device,
    store: MemoryStore,
}

impl Scene {
    async fn with_wallet() -> Self {
        let service = TestService::start().await;
        let client = service.client().await;
        let device = client.device();
        let scene = Self { service, client, device, store: MemoryStore::new() };
        scene.app().create_wallet(&unseen).await.unwrap();
        scene
    }

    fn app(&self) -> Portal {
        self.device.portal(&self.service.url(), &memory_method(&self.store))
    }

    fn app_with(&self, store: Arc<dyn KeyStore>) -> Portal {
        let method: Arc<dyn BackupMethod> = Arc::new(StoredKey::new(store));
        self.device.portal(&self.service.url(), &method)
    }

    async fn back_up(&self, options: BackUpOptions) -> BackupId {
        self.app().back_up(&memory_id(), &options, &unseen).await.unwrap().backup
    }

    async fn recovers(&self) {
        let device = self.client.device();
        let app = device.portal(&self.service.url(), &memory_method(&self.store));
        app.recover(&memory_id(), &RecoverOptions::default(), &unseen).await.unwrap();
    }
}

fn anew() -> BackUpOptions {
    BackUpOptions { enroll_anew: true, ..BackUpOptions::default() }
}

fn superseded(inventory: &Inventory) -> Vec<BackupId> {
    let listed = inventory.backups.iter().filter(|listed| listed.superseded);
    listed.map(|listed| listed.backup.id.clone()).collect()
}

fn states(inventory: &Inventory) -> Vec<KeyState> {
    inventory.keys.iter().map(|key| key.state).collect()
}

#[test]
fn what_a_newer_backup_superseded_is_removed_with_its_key_and_the_newer_one_recovers() {
    on_runtime(async {
        let scene = Scene::with_wallet().await;
        let first = scene.back_up(anew()).await;
        let second = scene.back_up(BackUpOptions::default()).await;
        let third = scene.back_up(anew()).await;
        let inventory = scene.app().inventory().await.unwrap();
        let ids: Vec<_> = inventory.backups.iter().map(|listed| &listed.backup.id).collect();
        assert_eq!(ids, [&third, &second, &first]);
        assert!(inventory.backups.iter().all(|listed| listed.envelope_len > Some(100)));
        assert_eq!(superseded(&inventory), [second.clone(), first.clone()]);
        assert_eq!(states(&inventory), [KeyState::OpensBackup; 2]);
        let mut opens: Vec<_> = inventory.keys.iter().map(|key| key.opens.clone()).collect();
        opens.sort_by_key(Vec::len);
        assert_eq!(opens, [vec![third.clone()], vec![second.clone(), first.clone()]]);

        let removed = scene.app().remove_superseded(std::slice::from_ref(&second)).await.unwrap();
        assert_eq!((removed.backups, removed.keys), (vec![second], 0), "the first has its key");
        let removed = scene.app().remove_superseded(&[first.clone(), third.clone()]).await.unwrap();
        assert_eq!((removed.backups, removed.keys), (vec![first], 1), "the head is not removed");
        assert_eq!(scene.store.len(), 1);
        assert_eq!(superseded(&scene.app().inventory().await.unwrap()), []);
        scene.recovers().await;
    });
}

#[test]
fn nothing_is_superseded_by_a_backup_that_was_not_tried_out() {
    on_runtime(async {
        let scene = Scene::with_wallet().await;
        let first = scene.back_up(anew()).await;
        scene.back_up(BackUpOptions { skip_trial: true, ..anew() }).await;
        let app = scene.app();
        assert_eq!(superseded(&app.inventory().await.unwrap()), []);
        assert_eq!(app.remove_superseded(&[first]).await.unwrap().backups, []);
        assert_eq!(scene.store.len(), 2);
    });
}

#[test]
fn a_key_that_no_record_names_is_shown_and_never_removed() {
    on_runtime(async {
        let scene = Scene::with_wallet().await;
        let first = scene.back_up(anew()).await;
        let context = &scene.client.context;
        let name = KeyName::generate(&KeyPrefix::of(context)).unwrap();
        let op = Operation::new(Purpose::Enroll, context);
        scene.store.put(&op, &name, &EncryptionKey::generate().unwrap()).await.unwrap();
        let mut states = states(&scene.app().inventory().await.unwrap());
        states.sort_by_key(|state| *state == KeyState::Unknown);
        assert_eq!(states, [KeyState::OpensBackup, KeyState::Unknown]);
        scene.back_up(anew()).await;
        let removed = scene.app().remove_superseded(&[first]).await.unwrap();
        assert_eq!(removed.keys, 1);
        assert!(scene.store.get(&op, &name).await.is_ok(), "it may be another device's");
    });
}

#[test]
fn the_key_of_a_removed_backup_that_could_not_be_removed_with_it_is_unneeded_and_goes_later() {
    on_runtime(async {
        let scene = Scene::with_wallet().await;
        let first = scene.back_up(anew()).await;
        scene.back_up(anew()).await;
        let away = FaultyStore::new(scene.store.clone());
        away.inject(Fault::on(Call::Delete).lasting());
        let away = scene.app_with(Arc::new(away));
        let removed = away.remove_superseded(std::slice::from_ref(&first)).await.unwrap();
        assert_eq!((removed.backups, removed.keys), (vec![first], 0));

        let inventory = scene.app().inventory().await.unwrap();
        assert_eq!(inventory.backups.len(), 1);
        let mut keys: Vec<_> =
            inventory.keys.iter().map(|key| (key.opens.len(), key.state)).collect();
        keys.sort_by_key(|(opens, _)| *opens);
        assert_eq!(keys, [(0, KeyState::Unneeded), (1, KeyState::OpensBackup)]);
        assert_eq!(scene.app().remove_superseded(&[]).await.unwrap().keys, 1);
        assert_eq!(states(&scene.app().inventory().await.unwrap()), [KeyState::OpensBackup]);
        scene.recovers().await;
    });
}

/// A store whose `put` fails now, and has its effect later.
#[derive(Debug)]
struct Slow {
    store: MemoryStore,
    on_the_way: Mutex<Option<(KeyName, EncryptionKey)>>,
}

#[async_trait]
impl KeyStore for Slow {
    fn id(&self) -> MethodId {
        self.store.id()
    }

    async fn check(&self, op: &Operation<'_>) -> Result<()> {
        self.store.check(op).await
    }

    async fn put(&self, _: &Operation<'_>, name: &KeyName, key: &EncryptionKey) -> Result<()> {
        let key = EncryptionKey::copied_from(key.expose());
        *self.on_the_way.lock().unwrap() = Some((name.clone(), key));
        Err(Error::new(ErrorKind::Unavailable, "no answer in time"))
    }

    async fn get(&self, op: &Operation<'_>, name: &KeyName) -> Result<EncryptionKey> {
        self.store.get(op, name).await
    }

    async fn delete(&self, op: &Operation<'_>, name: &KeyName) -> Result<()> {
        self.store.delete(op, name).await
    }

    async fn list(&self, op: &Operation<'_>, prefix: &KeyPrefix) -> Result<Vec<KeyName>> {
        self.store.list(op, prefix).await
    }
}

#[test]
fn a_key_that_arrives_after_its_backup_was_given_up_is_unneeded_and_goes_at_once() {
    on_runtime(async {
        let scene = Scene::with_wallet().await;
        let slow = Slow { store: scene.store.clone(), on_the_way: Mutex::default() };
        let slow = Arc::new(slow);
        let app = scene.app_with(slow.clone());
        app.back_up(&memory_id(), &anew(), &unseen).await.unwrap_err();
        scene.app().finish_interrupted().await.unwrap();
        let (name, key) = slow.on_the_way.lock().unwrap().take().unwrap();
        let op = Operation::new(Purpose::Enroll, &scene.client.context);
        scene.store.put(&op, &name, &key).await.unwrap();

        assert_eq!(states(&scene.app().inventory().await.unwrap()), [KeyState::Unneeded]);
        for left in [1, 0] {
            assert_eq!(scene.app().remove_superseded(&[]).await.unwrap().keys, left);
            assert_eq!(scene.store.len(), 0);
        }
        scene.store.put(&op, &name, &key).await.unwrap();
        assert_eq!(scene.app().remove_superseded(&[]).await.unwrap().keys, 1, "it is remembered");
    });
}

#[test]
fn a_removal_that_was_stopped_has_lost_nothing_that_is_needed_and_the_next_ends_it() {
    on_runtime(async {
        for stop in 0.. {
            let scene = Scene::with_wallet().await;
            let first = scene.back_up(anew()).await;
            let second = scene.back_up(anew()).await;
            let mortal = Mortal::dying_before(stop);
            let app = scene.device.app(&scene.service.url()).method(memory_method(&scene.store));
            let app = app.observed_by(mortal.clone()).build().unwrap();
            let done = app.remove_superseded(std::slice::from_ref(&first)).await;
            assert!(done.is_ok() || mortal.is_dead(), "it failed by itself: {done:?}");

            let mut notices = scene.app().finish_interrupted().await.unwrap();
            notices.extend(scene.app().remove_superseded(&[first]).await.unwrap().notices);
            let is_known = |notice: &Notice| matches!(notice, Notice::Retired { .. });
            assert!(notices.iter().all(is_known), "{notices:?}");
            let inventory = scene.app().inventory().await.unwrap();
            let left: Vec<_> = inventory.backups.iter().map(|listed| &listed.backup.id).collect();
            assert_eq!(left, [&second]);
            assert_eq!(states(&inventory), [KeyState::OpensBackup]);
            scene.recovers().await;
            if !mortal.is_dead() {
                assert!(stop > 5, "only {stop} effects: do all go through the observer?");
                break;
            }
        }
    });
}

#[test]
fn a_device_that_does_not_sign_removes_nothing() {
    on_runtime(async {
        let scene = Scene::with_wallet().await;
        let first = scene.back_up(anew()).await;
        scene.back_up(anew()).await;
        scene.recovers().await;
        assert_eq!(superseded(&scene.app().inventory().await.unwrap()), []);
        assert_eq!(scene.app().remove_superseded(&[first]).await.unwrap().backups, []);
        assert_eq!(scene.store.len(), 2);
    });
}
