//! The database: SQLite, one writer at a time, durable before anybody is told.

mod backups;
mod clients;
mod columns;
mod eject;
mod error;
mod identities;
mod pairs;
mod schema;
mod sessions;
mod signing;
mod stages;
mod tokens;

use std::{
    ops::{Deref, DerefMut},
    path::Path,
    sync::Arc,
    time::Duration,
};

use sqlx::{
    Sqlite, SqliteConnection, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::{Mutex, OwnedMutexGuard};

pub(crate) use self::sessions::{NewSession, SessionRow};
pub use self::{
    backups::{BackupRow, NewBackupSet, StoredEnvelope, lifecycle_sets},
    clients::ClientRow,
    eject::{Audience, EjectWindow},
    error::StoreError,
    pairs::{PairRow, SealedPair},
    signing::{NewSigningSet, SigningPairRow, SigningRow},
    tokens::TokenRow,
};
use crate::effects::{Effect, EffectObserver};

/// The database of the service.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
    turn: Arc<Mutex<()>>,
    observer: Arc<dyn EffectObserver>,
}

/// A consistent view of the database, for reading. What the service reads are its methods.
#[derive(Debug)]
pub struct Snapshot(Transaction<'static, Sqlite>);

/// The one transaction that writes at this time. It reads as a [`Snapshot`] does, and nobody else
/// writes between its reads and its commit. Dropped, it has changed nothing.
#[derive(Debug)]
#[must_use = "what is not committed is rolled back"]
pub struct Write {
    snapshot: Snapshot,
    turn: OwnedMutexGuard<()>,
    store: Store,
    destroys: bool,
}

impl Store {
    /// Opens the database, which is made if it is not there, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be opened, or is of a newer release.
    pub async fn open(path: &Path, observer: Arc<dyn EffectObserver>) -> Result<Self, StoreError> {
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            // It is in this process: asking whether it is there costs as much as a query.
            .test_before_acquire(false)
            .connect_with(options(path))
            .await?;
        schema::migrator().run(&pool).await?;
        let store = Self { pool, turn: Arc::default(), observer };
        store.scrub().await?;
        Ok(store)
    }

    /// A view for reading.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn read(&self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot(self.pool.begin().await?))
    }

    /// Takes the turn to write. Everything that is ever written goes through here and through
    /// [`Write::commit`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn write(&self) -> Result<Write, StoreError> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let snapshot = Snapshot(transaction);
        Ok(Write { snapshot, turn, store: self.clone(), destroys: false })
    }

    /// Waits for what is under way, and closes the database.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// What is deleted is overwritten in the database; this empties the write-ahead log of it too.
    async fn scrub(&self) -> Result<(), StoreError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.pool).await?;
        Ok(())
    }
}

impl Snapshot {
    /// For the queries of the modules that add to this.
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

impl Write {
    /// Makes durable what was written. What was destroyed is on the disk no longer.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database fails: then it may have been written or not.
    pub async fn commit(self) -> Result<(), StoreError> {
        let Self { snapshot, turn, store, destroys } = self;
        store.observer.before(Effect::Commit);
        snapshot.0.commit().await?;
        store.observer.before(Effect::Committed);
        if destroys && let Err(error) = store.scrub().await {
            tracing::warn!(%error, "what was destroyed is in the write-ahead log until later");
        }
        drop(turn);
        Ok(())
    }

    /// Notes that so many rows with shares or envelopes were destroyed. States of sessions need no
    /// such care: what they are sealed under is in no file.
    fn destroyed(&mut self, rows: u64) -> u64 {
        self.destroys |= rows > 0;
        rows
    }
}

impl Deref for Write {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut Snapshot {
        &mut self.snapshot
    }
}

const CONNECTIONS: u32 = 8;

/// How long one waits for a connection, or for another process that writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// `FULL` syncs the log at each commit; `secure_delete` overwrites what is deleted with zeros.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .pragma("secure_delete", "ON")
}

#[cfg(test)]
mod tests;
