//! The database: SQLite, one writer at a time, durable before anybody is told.

mod api_keys;
#[cfg(feature = "enclave")]
mod at_once;
mod audit;
mod backups;
mod clients;
mod columns;
mod eject;
#[cfg(feature = "enclave")]
mod enclave;
mod envelopes;
mod error;
mod filling;
mod fresh;
mod group;
mod identities;
mod keys;
mod pairs;
mod schema;
mod sealed;
mod sessions;
mod signing;
mod stages;
mod tokens;
mod webhooks;

use std::{
    ops::{Deref, DerefMut},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{
    Sqlite, SqliteConnection, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::{Mutex, OwnedMutexGuard};

pub(crate) use self::sessions::{NewSession, SessionRow};
pub use self::{
    api_keys::{KeyOwner, KeyRow, NewKey},
    backups::{BackupRow, NewBackupSet, lifecycle_sets},
    clients::ClientRow,
    eject::{Audience, EjectWindow},
    envelopes::{EnvelopeSlot, SlotPair, StoredEnvelope},
    error::StoreError,
    filling::KeyAt,
    fresh::FreshPlace,
    keys::IdleKey,
    pairs::{CustodianHalf, PairRow, PostedPair, SealedPair},
    sealed::{Place, SealedRow},
    signing::{NewSigningSet, SigningPairRow, SigningRow},
    tokens::TokenRow,
    webhooks::{CompletedPair, Health, WebhookRow},
};
use crate::{
    audit::AuditHead,
    effects::{Effect, EffectObserver},
    metrics::{Fate, StoreMeters},
};

/// The database of the service.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
    /// One connection: what it has cached is seldom out of date, since it alone writes here.
    writer: SqlitePool,
    turn: Arc<Mutex<()>>,
    queue: Arc<group::Queue>,
    fresh: Arc<fresh::FreshPlaces>,
    last_noted: Arc<audit::LastNoted>,
    observer: Arc<dyn EffectObserver>,
    pub(crate) meters: StoreMeters,
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
    fates: Vec<Fate>,
    made: Vec<FreshPlace>,
    noted: Option<AuditHead>,
}

impl Store {
    /// Opens the database, which is made if it is not there, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be opened, or is of a newer release.
    pub async fn open(path: &Path, observer: Arc<dyn EffectObserver>) -> Result<Self, StoreError> {
        let store = Self::connect(options(path).create_if_missing(true), observer).await?;
        schema::migrator().run(&store.writer).await?;
        store.scrub().await?;
        Ok(store)
    }

    /// Opens a database that a service of this release has made, and which may be serving.
    ///
    /// # Errors
    ///
    /// [`StoreError::OtherRelease`] if its tables are others than this release has.
    pub async fn open_as_it_is(
        path: &Path,
        observer: Arc<dyn EffectObserver>,
    ) -> Result<Self, StoreError> {
        let store = Self::connect(options(path), observer).await?;
        if schema::applied(&store.pool).await? == schema::known() {
            Ok(store)
        } else {
            Err(StoreError::OtherRelease)
        }
    }

    async fn connect(
        options: SqliteConnectOptions,
        observer: Arc<dyn EffectObserver>,
    ) -> Result<Self, StoreError> {
        let writer = connections(1).connect_with(options.clone()).await?;
        let reading = options.pragma("cache_size", READER_CACHE);
        let pool = connections(READERS).connect_with(reading).await?;
        Ok(Self {
            pool,
            writer,
            turn: Arc::default(),
            queue: Arc::default(),
            fresh: Arc::default(),
            last_noted: Arc::default(),
            observer,
            meters: StoreMeters::default(),
        })
    }

    /// A view for reading.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn read(&self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot(self.pool.begin().await?))
    }

    /// Takes the turn to write. What is written by more than one statement goes through here and
    /// through [`Write::commit`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn write(&self) -> Result<Write, StoreError> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Write {
            snapshot: Snapshot(transaction),
            turn,
            store: self.clone(),
            destroys: false,
            fates: Vec::new(),
            made: Vec::new(),
            noted: None,
        })
    }

    /// Awaits what makes something durable, and takes note of it.
    async fn durably<T, E: Into<StoreError>>(
        &self,
        commit: impl Future<Output = Result<T, E>>,
    ) -> Result<T, StoreError> {
        self.observer.before(Effect::Commit);
        let begun = Instant::now();
        let done = commit.await.map_err(Into::into)?;
        self.meters.commit_seconds.observe(begun.elapsed().as_secs_f64());
        self.observer.before(Effect::Committed);
        Ok(done)
    }

    /// Waits for what is under way, and closes the database.
    pub async fn close(&self) {
        self.pool.close().await;
        self.writer.close().await;
    }

    /// What is deleted is overwritten in the database; this empties the write-ahead log of it too.
    async fn scrub(&self) -> Result<(), StoreError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writer).await?;
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
        let Self { snapshot, turn, store, destroys, fates, made, noted } = self;
        store.durably(snapshot.0.commit()).await?;
        fates.into_iter().for_each(|fate| store.meters.ended(fate));
        store.fresh.remember(made);
        store.last_noted.remember(noted);
        if destroys && let Err(error) = store.scrub().await {
            tracing::warn!(%error, "what was destroyed is in the write-ahead log until later");
        }
        drop(turn);
        Ok(())
    }

    /// What is overwritten goes from the write-ahead log too, when this is committed.
    pub(crate) fn scrub_after(&mut self) {
        self.destroys = true;
    }

    /// Counts what becomes of a backup set, once it is committed.
    pub(crate) fn count(&mut self, fate: Fate) {
        self.fates.push(fate);
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

const READERS: u32 = 4;

/// Half a MiB for each reader, in SQLite's unit: with its default, of 2 MB, the service grows for
/// as long as its database does. The pages are in the system's cache, too, which all share.
const READER_CACHE: &str = "-512";

/// How long one waits for a connection, or for another process that writes.
const PATIENCE: Duration = Duration::from_secs(10);

fn connections(most: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(most)
        .acquire_timeout(PATIENCE)
        // It is in this process: asking whether it is there costs as much as a query.
        .test_before_acquire(false)
}

/// `FULL` syncs the log at each commit; `secure_delete` overwrites what is deleted with zeros.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .pragma("secure_delete", "ON")
}

#[cfg(test)]
mod tests;
