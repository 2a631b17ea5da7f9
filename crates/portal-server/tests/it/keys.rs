//! The operator's keys: several at once, each lost in turn, and everything moved to others.

use std::{
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use backup_core::{
    DataKey, Error, ErrorKind, KeyContext, KeyEncryption, MethodId, Result, async_trait,
};
use backup_testkit::MemoryKey;
use portal_api::{
    BackupSetView, BackupStatus, Commit, ErrorId, Health, route, webhook::WebhookSecret,
};
use portal_keys::{KeyRing, SealedShare};
use portal_server::{
    Options, Server, StartError,
    admin::{Admin, AdminError},
    audit::{Access, AuditRecord},
    custody::Custody,
    effects::Effect,
    store::{Place, SealedPair, Store},
};
use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};
use tokio::runtime::Runtime;

use crate::common::{
    Hands, NOW, Service,
    device::{Begun, Device},
    http::Request,
    options,
};

/// A key that can be away.
#[derive(Clone, Debug)]
struct Key {
    key: MemoryKey,
    is_away: Arc<AtomicBool>,
}

impl Key {
    fn new() -> Self {
        Self { key: MemoryKey::generate().unwrap(), is_away: Arc::default() }
    }

    fn go(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    fn answer(&self) -> Result<&MemoryKey> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "the key is away"));
        }
        Ok(&self.key)
    }
}

#[async_trait]
impl KeyEncryption for Key {
    fn key_id(&self) -> &str {
        self.key.key_id()
    }

    async fn wrap(&self, key: &DataKey, context: &KeyContext) -> Result<Vec<u8>> {
        self.answer()?.wrap(key, context).await
    }

    async fn unwrap(&self, wrapped: &[u8], context: &KeyContext) -> Result<DataKey> {
        self.answer()?.unwrap(wrapped, context).await
    }
}

fn ring(active: &[&Key], retired: &[&Key]) -> KeyRing {
    let keys = |keys: &[&Key]| -> Vec<Arc<dyn KeyEncryption>> {
        keys.iter().map(|key| Arc::new((*key).clone()) as _).collect()
    };
    KeyRing::new(keys(active)).unwrap().with_retired(keys(retired)).unwrap()
}

fn with(folder: &Path, ring: KeyRing, lost: &[&Key]) -> Options {
    let mut options = options(folder, &Arc::new(Hands::at(NOW)));
    options.keys = Some(ring);
    options.lost_keys = lost.iter().map(|key| key.key_id().to_owned()).collect();
    options
}

/// A service with a wallet, two backups of it, and a webhook: so much is sealed.
const ALL: u64 = 4;

/// Such a service.
async fn service(ring: KeyRing) -> Service {
    let service = Service::start_with(|options| options.keys = Some(ring)).await;
    back_up(&service).await;
    service
}

async fn back_up(service: &Service) {
    let device = service.device().await;
    for method in [MethodId::GDRIVE, MethodId::PASSWORD] {
        let sealer = device.enroll(method).await;
        device.begin(service.running.service(), &sealer).await;
    }
    let (shared, custodian) = (service.running.service(), &device.context.custodian);
    let secret = WebhookSecret::new(&format!("whsec_{}=", "A".repeat(43))).unwrap();
    let sealed = shared.custody.seal_webhook_secret(custodian, &secret).await.unwrap();
    let mut write = shared.store.write().await.unwrap();
    write.set_webhook(custodian, "https://acme.example/webhook", &sealed, NOW).await.unwrap();
    write.commit().await.unwrap();
}

/// What the service ran on, and it runs no more.
async fn end(service: Service) -> tempfile::TempDir {
    let Service { running, folder, .. } = service;
    running.shutdown().await;
    folder
}

async fn start(options: Options) -> Result<(), StartError> {
    Server::start(options).await?.shutdown().await;
    Ok(())
}

/// How much opens by all of its keys; an error names what does not.
async fn opens(folder: &Path, ring: &KeyRing) -> Result<u64, String> {
    let verified = Admin::open(folder).await.unwrap().verify_sealed(ring, |_, _| {}).await.unwrap();
    let total = verified.total;
    if verified.unopened.is_empty() { Ok(total) } else { Err(format!("{:?}", verified.unopened)) }
}

#[tokio::test]
async fn each_of_several_keys_can_be_lost_and_everything_is_moved_to_the_others() {
    for lost in 0..3 {
        let keys = [Key::new(), Key::new(), Key::new()];
        let all: Vec<_> = keys.iter().collect();
        let folder = end(service(ring(&all, &[])).await).await;
        let left: Vec<_> = (0..3).filter(|at| *at != lost).map(|at| &keys[at]).collect();
        let lost = &keys[lost];

        let error = start(with(folder.path(), ring(&left, &[]), &[])).await.unwrap_err();
        assert!(error.to_string().contains(lost.key_id()), "{error}");
        let running = Server::start(with(folder.path(), ring(&left, &[]), &[lost])).await.unwrap();
        let admin = Admin::open(folder.path()).await.unwrap();
        let done = admin.rewrap(&ring(&left, &[]), |_, _| {}).await.unwrap();
        assert_eq!((done.total, done.rewrapped), (ALL, ALL));
        assert_eq!(done.forgotten, [lost.key_id()]);
        running.shutdown().await;
        assert_eq!(opens(folder.path(), &ring(&left, &[])).await, Ok(ALL));
        start(with(folder.path(), ring(&left, &[]), &[])).await.unwrap();
    }
}

#[tokio::test]
async fn while_a_key_does_not_answer_the_service_starts_and_says_so() {
    let (here, away) = (Key::new(), Key::new());
    let both = || ring(&[&here, &away], &[]);
    let folder = end(service(both()).await).await;
    away.go(true);
    let mut options = with(folder.path(), both(), &[]);
    options.metrics = Some(([127, 0, 0, 1], 0).into());
    let running = Server::start(options).await.unwrap();
    let url = format!("http://{}{}", running.address(), route::READY);
    let answer = Request::get(route::READY).send(&reqwest::Client::new(), &url).await;
    assert_eq!(answer.json::<Health>().status, "degraded");
    let url = format!("http://{}/metrics", running.metrics_address().unwrap());
    let metrics = Request::get("").send(&reqwest::Client::new(), &url).await;
    for line in ["\nportal_ready 1\n", "\nportal_degraded 1\n"] {
        assert!(metrics.text().contains(line), "{}", metrics.text());
    }
    running.shutdown().await;

    here.go(true);
    let error = start(with(folder.path(), both(), &[])).await.unwrap_err();
    assert!(matches!(&error, StartError::Key(error) if error.kind() == ErrorKind::Unavailable));
    here.go(false);
    away.go(false);
    start(with(folder.path(), both(), &[])).await.unwrap();
}

#[tokio::test]
async fn a_new_key_has_to_work_once_before_anything_is_sealed_under_it() {
    let (old, new) = (Key::new(), Key::new());
    let folder = end(service(ring(&[&old], &[])).await).await;
    new.go(true);
    let error = start(with(folder.path(), ring(&[&old, &new], &[]), &[])).await.unwrap_err();
    assert!(matches!(&error, StartError::Key(error) if error.kind() == ErrorKind::Unavailable));
    start(with(folder.path(), ring(&[&old], &[]), &[])).await.unwrap();
}

#[tokio::test]
async fn keys_are_rotated_while_the_service_serves() {
    let (old, new) = (Key::new(), Key::new());
    let rotating = || ring(&[&new], &[&old]);
    let folder = end(service(ring(&[&old], &[])).await).await;
    let admin = Admin::open(folder.path()).await.unwrap();
    let error = admin.rewrap(&rotating(), |_, _| {}).await.unwrap_err();
    assert!(matches!(error, AdminError::OtherKeys), "the service would seal under the old key");

    let hands = Arc::new(Hands::at(NOW));
    let mut serving = options(folder.path(), &hands);
    serving.keys = Some(rotating());
    let running = Server::start(serving).await.unwrap();
    let mut told = Vec::new();
    let done = admin.rewrap(&rotating(), |n, of| told.push((n, of))).await.unwrap();
    assert_eq!((done.total, done.rewrapped), (ALL, ALL));
    assert_eq!(done.forgotten, [old.key_id()]);
    assert_eq!(told.last(), Some(&(ALL, ALL)));
    let again = admin.rewrap(&rotating(), |_, _| {}).await.unwrap();
    assert_eq!((again.total, again.rewrapped), (ALL, 0));
    running.shutdown().await;
    assert_eq!(opens(folder.path(), &ring(&[&new], &[])).await, Ok(ALL));
    start(with(folder.path(), ring(&[&new], &[]), &[])).await.unwrap();
}

#[tokio::test]
async fn a_key_is_not_forgotten_while_something_does_not_open() {
    let (old, new) = (Key::new(), Key::new());
    let folder = end(service(ring(&[&old], &[])).await).await;
    start(with(folder.path(), ring(&[&new], &[&old]), &[])).await.unwrap();
    old.go(true);
    let admin = Admin::open(folder.path()).await.unwrap();
    let done = admin.rewrap(&ring(&[&new], &[&old]), |_, _| {}).await.unwrap();
    assert_eq!((done.rewrapped, done.unopened.len()), (0, 4));
    assert!(done.forgotten.is_empty());
    old.go(false);
    let done = admin.rewrap(&ring(&[&new], &[&old]), |_, _| {}).await.unwrap();
    assert_eq!((done.rewrapped, done.forgotten.len()), (ALL, 1));
}

#[tokio::test]
async fn a_verification_names_each_share_and_each_key_that_does_not_open_it() {
    let (here, lost) = (Key::new(), Key::new());
    let folder = end(service(ring(&[&here, &lost], &[])).await).await;
    let admin = Admin::open(folder.path()).await.unwrap();
    let found = admin.verify_sealed(&ring(&[&here], &[]), |_, _| {}).await.unwrap();
    let mut ids: Vec<_> = found.unopened.iter().map(|one| one.id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((found.total, found.unopened.len(), ids.len()), (ALL, 4, 4));
    assert!(found.unopened.iter().all(|one| one.key_id.as_deref() == Some(lost.key_id())));
    assert!(found.unopened.iter().all(|one| one.client.is_some() || one.id == one.custodian));
    let mut checked = Vec::new();
    let each = |record: &AuditRecord| {
        checked.extend((record.access == Access::Checked).then(|| record.pair.clone()));
        Ok(())
    };
    admin.audit(None, each).await.unwrap();
    let halves = found.unopened.iter().filter(|one| one.place == Place::BackupPairs);
    let halves: Vec<_> = halves.map(|one| one.id.clone()).collect();
    assert_eq!(halves.len(), 2);
    assert_eq!(checked, halves, "what was opened is in the audit");
}

#[tokio::test]
async fn rewrapping_that_was_ended_anywhere_is_finished_by_the_next_and_loses_nothing() {
    let (old, new) = (Key::new(), Key::new());
    let rotating = || ring(&[&new], &[&old]);
    let folder = end(service(ring(&[&old], &[])).await).await;
    start(with(folder.path(), rotating(), &[])).await.unwrap();
    let copies = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().to_owned(), copies.path().to_owned());
    let effects = Arc::new(Mutex::new(0));
    let noted = Arc::clone(&effects);
    let observer = Arc::new(move |_: Effect| {
        let mut noted = noted.lock().unwrap();
        copy(&from, &to.join(noted.to_string()));
        *noted += 1;
    });
    let admin = Admin::open_observed(folder.path(), observer).await.unwrap();
    admin.rewrap(&rotating(), |_, _| {}).await.unwrap();
    let effects = *effects.lock().unwrap();
    // A page of each place, and the keys that are not needed any more.
    assert_eq!(effects, 8);
    for cut in 0..effects {
        let folder = copies.path().join(cut.to_string());
        assert_eq!(opens(&folder, &rotating()).await, Ok(ALL), "cut at {cut}");
        start(with(&folder, rotating(), &[])).await.unwrap();
        let admin = Admin::open(&folder).await.unwrap();
        admin.rewrap(&rotating(), |_, _| {}).await.unwrap();
        assert_eq!(opens(&folder, &ring(&[&new], &[])).await, Ok(ALL), "cut at {cut}");
        start(with(&folder, ring(&[&new], &[]), &[])).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrap_ends_when_the_service_is_started_with_other_keys_meanwhile() {
    let (old, new) = (Key::new(), Key::new());
    let rotating = ring(&[&new], &[&old]);
    let folder = end(service(ring(&[&old], &[])).await).await;
    start(with(folder.path(), rotating.clone(), &[])).await.unwrap();
    let admin = Admin::open(folder.path()).await.unwrap();
    let mut pages = 0;
    let done = admin.rewrap(&rotating, |_, _| {
        pages += 1;
        if pages == 1 {
            let options = with(folder.path(), ring(&[&old], &[&new]), &[]);
            let start = move || Runtime::new().unwrap().block_on(start(options)).unwrap();
            thread::spawn(start).join().unwrap();
        }
    });
    assert!(matches!(done.await, Err(AdminError::OtherKeys)));
    assert_eq!(pages, 1);
    assert_eq!(opens(folder.path(), &rotating).await, Ok(ALL));
}

#[tokio::test]
async fn what_has_changed_since_it_was_read_is_not_overwritten_by_other_wraps_of_it() {
    let (old, new) = (Key::new(), Key::new());
    let service = service(ring(&[&old], &[])).await;
    let store = &service.running.service().store;
    let stale = store.read().await.unwrap().sealed(Place::Webhooks, "", 9).await.unwrap();
    back_up(&service).await;
    let rows = store.read().await.unwrap().sealed(Place::Webhooks, "", 9).await.unwrap();
    assert_ne!(stale[0].sealed, rows[0].sealed, "another secret was registered");
    let sealed = SealedShare::decode(&stale[0].sealed).unwrap();
    let context = stale[0].context.as_ref().unwrap();
    let other = sealed.rewrap(context.clone(), &ring(&[&new], &[&old])).await.unwrap();
    let stale: Vec<_> = stale.into_iter().map(|row| (row, other.clone())).collect();
    let mut write = store.write().await.unwrap();
    assert_eq!(write.rewrap(Place::Webhooks, &stale).await.unwrap(), 0);
    write.commit().await.unwrap();
    let after = store.read().await.unwrap().sealed(Place::Webhooks, "", 9).await.unwrap();
    assert_eq!(after[0].sealed, rows[0].sealed);
}

#[tokio::test]
async fn a_key_that_the_service_has_come_back_to_since_it_was_found_idle_is_not_forgotten() {
    let (old, new) = (Key::new(), Key::new());
    let folder = end(service(ring(&[&old], &[])).await).await;
    start(with(folder.path(), ring(&[&new], &[&old]), &[])).await.unwrap();
    let database = folder.path().join("portal.db");
    let store = Store::open_as_it_is(&database, Arc::new(|_: Effect| ())).await.unwrap();
    let idle = store.read().await.unwrap().idle_keys().await.unwrap();
    assert_eq!(idle[0].id, old.key_id());
    for (active, retired) in [(&old, &new), (&new, &old)] {
        start(with(folder.path(), ring(&[active], &[retired]), &[])).await.unwrap();
    }
    let mut write = store.write().await.unwrap();
    assert!(!write.forget_key(&idle[0]).await.unwrap());
    let idle = write.idle_keys().await.unwrap();
    assert!(write.forget_key(&idle[0]).await.unwrap(), "it is idle, and nobody came between");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A device with a completed backup, and a pending one that only waits for its commit.
async fn with_one_pending(service: &Service) -> (Device, Begun, Commit) {
    let device = service.device().await;
    let sealer = device.enroll(MethodId::PASSWORD).await;
    let head = device.back_up(service, &sealer, None, true).await;
    let begun = device.begin(service.running.service(), &sealer).await;
    device.store(service, &begun).await.is_done();
    let commit = device.commit_of(&begun, Some(&head), true);
    (device, begun, commit)
}

#[tokio::test]
async fn a_set_is_not_committed_while_one_of_its_keys_is_away_and_is_when_it_is_back() {
    let keys = [Key::new(), Key::new()];
    let ring = ring(&[&keys[0], &keys[1]], &[]);
    let service = Service::start_with(|options| options.keys = Some(ring)).await;
    let (device, begun, commit) = with_one_pending(&service).await;
    let before = device.view(&service).await;
    for key in &keys {
        key.go(true);
        let answer = device.commit(&service, &begun.id, &commit).await;
        answer.is_error(503, ErrorId::Error);
        assert_eq!(device.view(&service).await, before);
        key.go(false);
    }
    let set: BackupSetView = device.commit(&service, &begun.id, &commit).await.json();
    assert!(set.head && set.status == BackupStatus::Completed);
}

#[tokio::test]
async fn a_set_is_not_committed_while_a_wrap_of_it_is_damaged_and_is_when_it_is_whole_again() {
    let keys = [Key::new(), Key::new()];
    let both = ring(&[&keys[0], &keys[1]], &[]);
    let service = Service::start_with(|options| options.keys = Some(both)).await;
    let (device, begun, commit) = with_one_pending(&service).await;
    let before = device.view(&service).await;
    let whole = device.custodians_half(&service, &begun.id).await;
    for (damaged, other) in [(&keys[0], &keys[1]), (&keys[1], &keys[0])] {
        let half = with_a_damaged_wrap(&device, &whole, damaged, other).await;
        write_half(&service, &whole, &half).await;
        let answer = device.commit(&service, &begun.id, &commit).await;
        answer.is_error(500, ErrorId::InternalError);
        assert_eq!(device.view(&service).await, before);
        write_half(&service, &whole, &whole.sealed.encode()).await;
    }
    let set: BackupSetView = device.commit(&service, &begun.id, &commit).await.json();
    assert!(set.head && set.status == BackupStatus::Completed);
}

/// A half with a byte changed that only the wrap by one of its keys consists of.
async fn with_a_damaged_wrap(
    device: &Device,
    whole: &SealedPair,
    damaged: &Key,
    other: &Key,
) -> Vec<u8> {
    let [damaged, other] = [damaged, other].map(|key| Custody::new(ring(&[key], &[])));
    let bytes = whole.sealed.encode();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let Ok(sealed) = SealedShare::decode(&changed) else { continue };
        let half = SealedPair { pair: whole.pair.clone(), sealed };
        if other.open_backup(&device.context, &half).await.is_ok()
            && damaged.open_backup(&device.context, &half).await.is_err()
            && half.sealed.key_ids().eq(whole.sealed.key_ids())
        {
            return changed;
        }
    }
    panic!("each wrap has bytes of its own");
}

async fn write_half(service: &Service, of: &SealedPair, bytes: &[u8]) {
    let path = service.folder.path().join("portal.db");
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(path)).await.unwrap();
    let sql = "UPDATE backup_pairs SET sealed_share = $1 WHERE id = $2";
    let done = sqlx::query(sql).bind(bytes).bind(of.pair.id.as_str()).execute(&pool).await;
    assert_eq!(done.unwrap().rows_affected(), 1);
    pool.close().await;
}
