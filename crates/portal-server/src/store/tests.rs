//! What a connection promises, and how readers and writers see each other.

use std::sync::atomic::{AtomicUsize, Ordering};

use backup_core::{ClientId, CustodianId, EncryptionContext};
use sqlx::Row;
use tempfile::TempDir;

use super::*;
use crate::{
    api_key::{ApiKey, Audience},
    effects::Nobody,
};

async fn store() -> (Store, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("portal.db"), Arc::new(Nobody)).await.unwrap();
    (store, folder)
}

async fn pragma(store: &Store, name: &'static str) -> Vec<String> {
    let mut connections = vec![store.writer.acquire().await.unwrap()];
    for _ in 0..READERS {
        connections.push(store.pool.acquire().await.unwrap());
    }
    let mut values = Vec::new();
    for connection in &mut connections {
        let row = sqlx::query(name).fetch_one(&mut **connection).await.unwrap();
        let number = row.try_get::<i64, _>(0).map(|number| number.to_string());
        values.push(number.or_else(|_| row.try_get(0)).unwrap());
    }
    values
}

async fn add_custodian(write: &mut Write, id: &str) -> ApiKey {
    let key = ApiKey::generate(Audience::Custodian).unwrap();
    let id = CustodianId::new(id).unwrap();
    write.insert_custodian(&id, &key.hash(), 1).await.unwrap();
    key
}

#[tokio::test]
async fn every_connection_is_durable_keeps_references_and_erases_what_it_deletes() {
    let (store, _folder) = store().await;
    let expected = [
        ("PRAGMA synchronous", "2"),
        ("PRAGMA journal_mode", "wal"),
        ("PRAGMA foreign_keys", "1"),
        ("PRAGMA secure_delete", "1"),
    ];
    for (name, value) in expected {
        let values = pragma(&store, name).await;
        assert!(values.iter().all(|found| found == value), "{name}: {values:?}");
    }
}

#[tokio::test]
async fn what_is_not_committed_was_never_written() {
    let (store, _folder) = store().await;
    let mut write = store.write().await.unwrap();
    let key = add_custodian(&mut write, "acme").await;
    assert!(write.custodian_by_key(&key.hash(), 1).await.unwrap().is_some());
    drop(write);
    assert!(!store.read().await.unwrap().has_custodian().await.unwrap());
    store.write().await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn a_view_does_not_change_while_others_write() {
    let (store, _folder) = store().await;
    let mut read = store.read().await.unwrap();
    assert!(!read.has_custodian().await.unwrap());
    let mut write = store.write().await.unwrap();
    add_custodian(&mut write, "acme").await;
    write.commit().await.unwrap();
    assert!(!read.has_custodian().await.unwrap());
    assert!(store.read().await.unwrap().has_custodian().await.unwrap());
}

#[tokio::test]
async fn writers_take_turns_and_each_sees_what_the_one_before_has_written() {
    let (store, _folder) = store().await;
    let acme = CustodianId::new("acme").unwrap();
    let alice = EncryptionContext::new(acme, ClientId::new("alice").unwrap());
    let mut write = store.write().await.unwrap();
    add_custodian(&mut write, "acme").await;
    let key = ApiKey::generate(Audience::Client).unwrap();
    write.insert_client(&alice, &key.hash(), false, 1).await.unwrap();
    write.commit().await.unwrap();
    let writers = (0..50).map(|_| {
        let (store, client) = (store.clone(), alice.client.clone());
        tokio::spawn(async move {
            let mut write = store.write().await.unwrap();
            let number = write.next_number(&client).await.unwrap();
            write.commit().await.unwrap();
            number
        })
    });
    let mut numbers = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        numbers.push(writer.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=50).collect::<Vec<_>>());
}

/// Counts commits.
#[derive(Debug, Default)]
struct Commits(AtomicUsize);

impl EffectObserver for Commits {
    fn before(&self, effect: Effect) {
        if matches!(effect, Effect::Committed) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

async fn counted_store() -> (Store, Arc<Commits>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let commits = Arc::new(Commits::default());
    let observer = Arc::clone(&commits) as Arc<dyn EffectObserver>;
    let store = Store::open(&folder.path().join("portal.db"), observer).await.unwrap();
    commits.0.store(0, Ordering::SeqCst);
    (store, commits, folder)
}

/// Adds a custodian, unless there is one of this name.
fn custodian(name: &str) -> group::Statement {
    let sql = "INSERT INTO custodians (id, created_at) VALUES ($1, 1) ON CONFLICT DO NOTHING";
    sqlx::query(sql).bind(name.to_owned())
}

/// Has these written while somebody else has the turn, and then gives it to them.
async fn written_together(
    store: &Store,
    statements: Vec<group::Statement>,
) -> Vec<Result<u64, StoreError>> {
    let turn = store.write().await.unwrap();
    let mut waiting = Vec::new();
    for statement in statements {
        let store = store.clone();
        waiting.push(tokio::spawn(async move { store.write_one(statement).await }));
        tokio::task::yield_now().await;
    }
    drop(turn);
    let mut told = Vec::new();
    for waiting in waiting {
        told.push(waiting.await.unwrap());
    }
    told
}

#[tokio::test]
async fn writes_that_wait_for_the_same_turn_are_one_commit_and_each_hears_of_its_own() {
    let (store, commits, _folder) = counted_store().await;
    let statements = ["acme", "acme", "globex", "acme"].map(custodian).into();
    let told = written_together(&store, statements).await;
    let rows: Vec<u64> = told.into_iter().map(Result::unwrap).collect();
    assert_eq!(rows, [1, 0, 1, 0]);
    assert_eq!(commits.0.load(Ordering::SeqCst), 1);
    assert_eq!(store.read().await.unwrap().custodians().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_write_that_nobody_waits_with_is_a_commit_of_its_own() {
    let (store, commits, _folder) = counted_store().await;
    for (name, rows) in [("acme", 1), ("acme", 0), ("globex", 1)] {
        assert_eq!(store.write_one(custodian(name)).await.unwrap(), rows);
    }
    assert_eq!(commits.0.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_write_that_fails_takes_those_along_that_were_to_be_committed_with_it() {
    let (store, commits, _folder) = counted_store().await;
    let twice = "INSERT INTO custodians (id, created_at) VALUES ('acme', 1), ('acme', 1)";
    let statements = vec![custodian("globex"), sqlx::query(twice), custodian("initech")];
    let told = written_together(&store, statements).await;
    assert!(told.iter().all(Result::is_err), "{told:?}");
    let undone = told.iter().filter(|told| matches!(told, Err(StoreError::Undone)));
    assert_eq!(undone.count(), 2);
    assert_eq!(commits.0.load(Ordering::SeqCst), 0);
    assert!(!store.read().await.unwrap().has_custodian().await.unwrap());
    assert_eq!(store.write_one(custodian("globex")).await.unwrap(), 1);
}

#[tokio::test]
async fn a_write_whose_caller_goes_away_while_it_waits_holds_up_nobody() {
    let (store, _commits, _folder) = counted_store().await;
    let turn = store.write().await.unwrap();
    let gone = tokio::spawn({
        let store = store.clone();
        async move { store.write_one(custodian("acme")).await }
    });
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    drop(turn);
    assert_eq!(store.write_one(custodian("globex")).await.unwrap(), 1);
}

#[tokio::test]
async fn a_key_that_is_revoked_is_over_since_the_first_moment_that_it_was() {
    let (store, _folder) = store().await;
    let mut write = store.write().await.unwrap();
    add_custodian(&mut write, "acme").await;
    let owner = KeyOwner::Custodian(CustodianId::new("acme").unwrap());
    for (ends_at, over_since) in [(None, 50), (Some(40), 40), (Some(70), 50)] {
        let key = ApiKey::generate(Audience::Custodian).unwrap();
        write.insert_api_key(&owner, NewKey { hash: key.hash(), now: 1, ends_at }).await.unwrap();
        for now in [50, 60] {
            assert!(write.end_api_key(&key.hash().name(), now).await.unwrap());
        }
        let keys = write.api_keys(&owner).await.unwrap();
        let row = keys.iter().find(|row| row.id == key.hash().name()).unwrap();
        assert_eq!(row.ends_at, Some(over_since));
        assert!(write.custodian_by_key(&key.hash(), over_since - 1).await.unwrap().is_some());
        assert!(write.custodian_by_key(&key.hash(), over_since).await.unwrap().is_none());
    }
}
