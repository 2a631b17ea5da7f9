//! The rules of every store, on SQLite and on a PostgreSQL that really runs.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use backup_testkit::Postgres;
use portal_webhook::{Kept, Kind, Place, PostgresStore, Resealed, SqliteStore, Store};
use tempfile::TempDir;

/// A database that nobody has used, and any number of servers' stores in it.
#[async_trait]
trait Database: Sized + Send + Sync {
    type Store: Store;

    fn new() -> Self;
    async fn open(&self) -> Self::Store;
}

struct Sqlite(TempDir);

#[async_trait]
impl Database for Sqlite {
    type Store = SqliteStore;

    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.0.path().join("db")).await.unwrap()
    }
}

#[async_trait]
impl Database for Postgres {
    type Store = PostgresStore;

    fn new() -> Self {
        Self::start()
    }

    async fn open(&self) -> PostgresStore {
        PostgresStore::open(&self.url()).await.unwrap()
    }
}

macro_rules! rules {
    ($($rule:ident)*) => {
        $(
            mod $rule {
                #[tokio::test]
                async fn on_sqlite() {
                    super::$rule::<super::Sqlite>().await;
                }

                #[tokio::test]
                async fn on_postgresql() {
                    super::$rule::<super::Postgres>().await;
                }
            }
        )*
    };
}

rules! {
    every_value_of_a_client_is_there_newest_first
    what_is_erased_is_one_pair_of_one_client
    all_are_read_in_pages_by_numbers_that_stay
    only_what_is_as_it_was_read_is_sealed_otherwise
    an_id_is_first_once_until_it_is_over
    writers_at_once_lose_nothing
    what_was_kept_is_there_when_it_is_opened_again
}

fn kept(kind: Kind, client: &str, pair: &str, sealed: &[u8]) -> Kept {
    let (client, pair) = (client.to_owned(), pair.to_owned());
    Kept { place: Place { kind, client, method: "GDRIVE".into(), pair }, sealed: sealed.to_vec() }
}

fn half(client: &str, pair: &str, sealed: &[u8]) -> Kept {
    kept(Kind::Half, client, pair, sealed)
}

async fn every_value_of_a_client_is_there_newest_first<D: Database>() {
    let database = D::new();
    let store = database.open().await;
    let values = [half("alice", "p", b"one"), half("alice", "p", b"two"), half("alice", "", b"3")];
    for value in &values {
        store.add(value).await.unwrap();
    }
    store.add(&half("bob", "p", b"his")).await.unwrap();
    store.add(&kept(Kind::CipherText, "alice", "p", b"text")).await.unwrap();
    let newest_first: Vec<_> = values.iter().rev().cloned().collect();
    assert_eq!(store.all(Kind::Half, "alice").await.unwrap(), newest_first);
    assert_eq!(store.all(Kind::CipherText, "alice").await.unwrap().len(), 1);
    assert!(store.all(Kind::Half, "carol").await.unwrap().is_empty());
}

async fn what_is_erased_is_one_pair_of_one_client<D: Database>() {
    let database = D::new();
    let store = database.open().await;
    for (client, pair) in [("alice", "p"), ("alice", "p"), ("alice", "q"), ("bob", "p")] {
        store.add(&half(client, pair, b"half")).await.unwrap();
    }
    store.erase("alice", "p").await.unwrap();
    store.erase("alice", "p").await.unwrap();
    let left = store.all(Kind::Half, "alice").await.unwrap();
    assert_eq!(left, [half("alice", "q", b"half")]);
    assert_eq!(store.all(Kind::Half, "bob").await.unwrap().len(), 1);
}

async fn all_are_read_in_pages_by_numbers_that_stay<D: Database>() {
    let database = D::new();
    let store = database.open().await;
    for number in 0..5_u8 {
        store.add(&half("alice", "p", &[number])).await.unwrap();
    }
    let (mut after, mut read) = (0, Vec::new());
    loop {
        let page = store.after(after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after = last.number;
        read.extend(page);
    }
    let sealed: Vec<_> = read.iter().map(|value| value.kept.sealed[0]).collect();
    assert_eq!(sealed, [0, 1, 2, 3, 4]);
    assert!(store.after(u64::MAX, 2).await.unwrap().is_empty());
}

async fn only_what_is_as_it_was_read_is_sealed_otherwise<D: Database>() {
    let database = D::new();
    let store = database.open().await;
    for sealed in [b"one", b"two"] {
        store.add(&half("alice", "p", sealed)).await.unwrap();
    }
    let read = store.after(0, 10).await.unwrap();
    let resealed = |at: usize, before: &[u8]| Resealed {
        number: read[at].number,
        before: before.to_vec(),
        after: b"new".to_vec(),
    };
    let done = store.reseal(&[resealed(0, b"one"), resealed(1, b"other")]).await.unwrap();
    assert_eq!(done, 1);
    let sealed: Vec<_> = store.after(0, 10).await.unwrap();
    assert_eq!(sealed[0].kept.sealed, b"new");
    assert_eq!(sealed[1], read[1]);
}

async fn an_id_is_first_once_until_it_is_over<D: Database>() {
    let database = D::new();
    let stores = [database.open().await, database.open().await];
    assert!(stores[0].is_first("id", 100, 0).await.unwrap());
    assert!(!stores[1].is_first("id", 100, 0).await.unwrap());
    assert!(!stores[0].is_first("id", 100, 100).await.unwrap());
    assert!(stores[1].is_first("id", 300, 101).await.unwrap());
}

async fn writers_at_once_lose_nothing<D: Database>() {
    const EACH: u8 = 20;
    let database = D::new();
    let store = Arc::new(database.open().await);
    let writers = (0..8_u8).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for number in 0..EACH {
                store.add(&half("alice", "p", &[writer, number])).await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    // Whoever reads meanwhile, and goes on after the last, sees each once.
    let (mut after, mut read) = (0, HashSet::new());
    while read.len() < 8 * usize::from(EACH) {
        for value in store.after(after, 7).await.unwrap() {
            after = value.number;
            assert!(read.insert(value.kept.sealed));
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(store.all(Kind::Half, "alice").await.unwrap().len(), read.len());
}

async fn what_was_kept_is_there_when_it_is_opened_again<D: Database>() {
    let database = D::new();
    let store = database.open().await;
    store.add(&half("alice", "p", b"half")).await.unwrap();
    drop(store);
    let (one, other) = tokio::join!(database.open(), database.open());
    for store in [one, other] {
        assert_eq!(store.all(Kind::Half, "alice").await.unwrap().len(), 1);
    }
}

/// Each that was acknowledged is there after a crash of the database, and nobody is told otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_a_crash_of_the_database() {
    let database = Postgres::start();
    let store = database.open().await;
    let writing = {
        let store = store.clone();
        tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for number in 0_u32.. {
                let value = half("alice", "p", &number.to_be_bytes());
                match store.add(&value).await {
                    Ok(()) => acknowledged.push(value.sealed),
                    Err(_) => break,
                }
            }
            acknowledged
        })
    };
    while store.after(0, 100).await.unwrap().len() < 20 {}
    tokio::task::block_in_place(|| database.crash());
    let acknowledged = writing.await.unwrap();
    tokio::task::block_in_place(|| database.restart());
    let kept = database.open().await.all(Kind::Half, "alice").await.unwrap();
    let kept: HashSet<_> = kept.into_iter().map(|value| value.sealed).collect();
    assert!(acknowledged.len() >= 20 && acknowledged.iter().all(|sealed| kept.contains(sealed)));
}
