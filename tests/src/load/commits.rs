//! Envelopes that many store at once, beside the same updates in bare batches.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use backup_core::{BackupId, MethodId, SharePairId};
use backup_testkit::MemoryStore;
use portal_api::Completion;
use portal_client::BackUpOptions;
use portal_server::{
    effects::Effect,
    store::{CustodianHalf, NewBackupSet, Store, StoredEnvelope},
};
use sqlx::{
    ConnectOptions, Connection, QueryBuilder, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::wallets::{TestClient, TestService, memory_id, memory_method, unseen};

/// Envelopes stored a second.
#[derive(Clone, Copy, Debug)]
pub struct Commits {
    /// By the service's database, for callers who each wait until theirs is durable.
    pub ours: f64,
    /// How many of ours a commit had, on average and rounded up.
    pub group: usize,
    /// By bare batches, each one statement and one commit, of the same table and as durable.
    pub bare: f64,
    /// How many a batch has: one of each caller's, up to as many as the service takes at once.
    pub bare_group: usize,
}

/// As the service.
const MOST_AT_ONCE: usize = 128;

/// Stores `envelopes` for `callers` at once, and as many once more by bare batches.
///
/// # Panics
///
/// If any is not stored.
pub async fn compare(envelopes: usize, callers: usize) -> Commits {
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&commits);
    let mut service = TestService::start_with(|options| {
        options.observer = Arc::new(move |effect| {
            if matches!(effect, Effect::Committed) {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
    })
    .await;
    let client = service.client().await;
    let text = backed_up(&service, &client).await;
    let store = service.running().service().store.clone();
    let sets = add_sets(&store, &client, envelopes * 2).await;
    let (of_ours, of_bare) = sets.split_at(envelopes);
    commits.store(0, Ordering::SeqCst);
    let ours = stored(&store, &client, of_ours, callers, &text).await;
    let group = envelopes.div_ceil(commits.load(Ordering::SeqCst));
    drop(store);
    service.stop().await;
    let bare_group = callers.min(MOST_AT_ONCE);
    let bare = stored_bare(&service, &client, of_bare, bare_group, &text).await;
    let count = f64::from(u32::try_from(envelopes).expect("a small number"));
    let rate = |time: Duration| count / time.as_secs_f64();
    Commits { ours: rate(ours), group, bare: rate(bare), bare_group }
}

/// The envelope of a backup. To the database it is text, and may be that of any set.
async fn backed_up(service: &TestService, client: &TestClient) -> String {
    let device = client.device();
    let app = device.app(&service.url()).method(memory_method(&MemoryStore::new()));
    let app = app.build().expect("the app is set up");
    app.create_wallet(&unseen).await.expect("a wallet is made");
    let made = app.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await;
    made.expect("it is backed up");
    let mut view = service.running().service().store.read().await.expect("it is read");
    let backups = view.backups(&client.context.client).await.expect("they are read");
    let envelope = view.envelope(&client.context.client, &backups[0].set.id).await;
    envelope.expect("it is read").expect("there is one")
}

/// Pending sets of one client, each of a method of its own, since a method has one at a time.
async fn add_sets(store: &Store, client: &TestClient, count: usize) -> Vec<BackupId> {
    let context = client.context.clone();
    let client = &context.client;
    let mut write = store.write().await.expect("it is written to");
    let backups = write.backups(client).await.expect("they are read");
    let made = &backups[0];
    let halves = write.custodian_halves(client, &made.set.id).await.expect("they are read");
    let halves = halves.expect("there are some");
    let mut ids = Vec::new();
    for number in 0..count {
        let mut pairs = halves.clone();
        let Some(CustodianHalf::Sealed(half)) = &mut pairs.ed25519 else { panic!("it is here") };
        half.pair.id = SharePairId::new(format!("pair-{number}")).expect("it is an id");
        let set = NewBackupSet {
            id: BackupId::generate().expect("there is randomness"),
            method: MethodId::new(format!("com.example.method-{number}")).expect("it is an id"),
            completion: Completion::Commit,
            device_key: made.device_key,
            pairs,
        };
        write.insert_backup(&context, &set, 1).await.expect("a set is added");
        ids.push(set.id);
    }
    write.commit().await.expect("they are added");
    ids
}

async fn stored(
    store: &Store,
    client: &TestClient,
    sets: &[BackupId],
    callers: usize,
    text: &str,
) -> Duration {
    let mut slots = Vec::new();
    let mut view = store.read().await.expect("it is read");
    for set in sets {
        let slot = view.envelope_slot(&client.context.client, set).await.expect("it is read");
        slots.push(slot.expect("there is such a set"));
    }
    drop(view);
    let begun = Instant::now();
    let calls = slots.chunks(slots.len().div_ceil(callers)).map(|slots| {
        let (store, client) = (store.clone(), client.context.client.clone());
        let (slots, text) = (slots.to_vec(), text.to_owned());
        tokio::spawn(async move {
            for slot in slots {
                let envelope = StoredEnvelope { text: &text, sha256: [1; 32], enrollment: [2; 32] };
                let stored = store.store_envelope(&client, &slot, &envelope, None).await;
                assert!(stored.expect("it is stored"), "its place is free");
            }
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("no caller panics");
    }
    begun.elapsed()
}

async fn stored_bare(
    service: &TestService,
    client: &TestClient,
    sets: &[BackupId],
    group: usize,
    text: &str,
) -> Duration {
    let options = SqliteConnectOptions::new()
        .filename(service.folder().join("portal.db"))
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON");
    let mut database: SqliteConnection = options.connect().await.expect("it is opened");
    let begun = Instant::now();
    for group in sets.chunks(group) {
        let mut sql = QueryBuilder::new("WITH given (id, envelope, sha256, enrollment) AS (");
        sql.push_values(group, |mut row, set| {
            row.push_bind(set.as_str())
                .push_bind(text)
                .push_bind([1; 32].as_slice())
                .push_bind([2; 32].as_slice());
        });
        sql.push(
            ") UPDATE backup_sets SET envelope = given.envelope, envelope_sha256 = given.sha256, \
             enrollment = given.enrollment FROM given WHERE backup_sets.id = given.id \
             AND client_id = ",
        );
        sql.push_bind(client.context.client.as_str());
        let mut transaction = database.begin_with("BEGIN IMMEDIATE").await.expect("it begins");
        let done = sql.build().execute(&mut *transaction).await.expect("they are stored");
        assert_eq!(done.rows_affected(), u64::try_from(group.len()).expect("a small number"));
        transaction.commit().await.expect("it is durable");
    }
    begun.elapsed()
}
