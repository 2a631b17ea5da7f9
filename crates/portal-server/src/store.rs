//! The database: SQLite, one writer at a time, durable before anybody is told.

mod backups;
mod columns;
mod error;
mod identities;
mod pairs;
mod schema;
mod sessions;
mod signing;

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
    error::StoreError,
    pairs::{PairRow, SealedPair},
    signing::{NewSigningSet, SigningPairRow, SigningRow},
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
    observer: Arc<dyn EffectObserver>,
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
            .connect_with(options(path))
            .await?;
        schema::migrator().run(&pool).await?;
        Ok(Self { pool, turn: Arc::default(), observer })
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
        let observer = Arc::clone(&self.observer);
        Ok(Write { snapshot: Snapshot(transaction), turn, observer })
    }

    /// Brings what was deleted out of the write-ahead log too, where the database lets it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.pool).await?;
        Ok(())
    }

    /// Waits for what is under way, and closes the database.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Snapshot {
    /// For the queries of the modules that add to this.
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

impl Write {
    /// Makes durable what was written.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database fails: then it may have been written or not.
    pub async fn commit(self) -> Result<(), StoreError> {
        let Self { snapshot, turn, observer } = self;
        observer.before(Effect::Commit);
        snapshot.0.commit().await?;
        observer.before(Effect::Committed);
        drop(turn);
        Ok(())
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
