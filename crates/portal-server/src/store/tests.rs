//! What a connection promises, and how readers and writers see each other.

use backup_core::{ClientId, CustodianId, EncryptionContext};
use sqlx::Row;
use tempfile::TempDir;

use super::*;
use crate::{
    api_key::{ApiKey, Audience},
    effects::Nobody,
};

pub(super) async fn store() -> (Store, TempDir) {
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

pub(super) async fn add_custodian(write: &mut Write, id: &str) -> ApiKey {
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
