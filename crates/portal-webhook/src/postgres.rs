//! Sealed values in a PostgreSQL database, which several servers may share.

use std::{str::FromStr, time::Duration};

use async_trait::async_trait;
use sqlx::{
    PgPool, Postgres, Row, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
};

use crate::store::{Kept, Kind, Numbered, Place, Resealed, Store, StoreError};

/// A database of a PostgreSQL, in which this makes the tables that it needs.
///
/// What is erased, PostgreSQL keeps until it vacuums, and longer in its log and its backups. It is
/// sealed: to be sure that nobody opens it again, destroy the keys, after a
/// [rewrap](crate::Webhook::rewrap) of all else.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pool: PgPool,
}

impl PostgresStore {
    /// Connects to the database of this URL (`postgres://user:password@host/database`), as its user
    /// who may make tables.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it is no such URL, or the database cannot be reached.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        // What is wrong with it is not said: it may hold a password.
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| StoreError::new("this is not the URL of a PostgreSQL database"))?
            // What is added is on the disk before anybody is told, whatever the server's default.
            .options([("synchronous_commit", "on")]);
        let pool = PgPoolOptions::new().acquire_timeout(PATIENCE).connect_with(options);
        let pool = pool.await.map_err(StoreError::new)?;
        let store = Self { pool };
        store.make_tables().await.map_err(StoreError::new)?;
        Ok(store)
    }

    /// Of several servers that begin at once, one makes them.
    async fn make_tables(&self) -> Result<(), sqlx::Error> {
        let mut write = self.pool.begin().await?;
        lock(&mut write, "pg_advisory_xact_lock").await?;
        for sql in TABLES {
            sqlx::query(sql).execute(&mut *write).await?;
        }
        write.commit().await
    }

    async fn insert(&self, Kept { place, sealed }: &Kept) -> Result<(), sqlx::Error> {
        let sql = "INSERT INTO portal_webhook_values (kind, client, method, pair, sealed) \
                   VALUES ($1, $2, $3, $4, $5)";
        let mut write = self.pool.begin().await?;
        lock(&mut write, "pg_advisory_xact_lock_shared").await?;
        sqlx::query(sql)
            .bind(place.kind.as_str())
            .bind(&place.client)
            .bind(&place.method)
            .bind(&place.pair)
            .bind(sealed.as_slice())
            .execute(&mut *write)
            .await?;
        write.commit().await
    }

    async fn read_after(&self, after: i64, most: u32) -> Result<Vec<PgRow>, sqlx::Error> {
        let sql = "SELECT number, kind, client, method, pair, sealed FROM portal_webhook_values \
                   WHERE number > $1 ORDER BY number LIMIT $2";
        let mut read = self.pool.begin().await?;
        lock(&mut read, "pg_advisory_xact_lock").await?;
        let rows = sqlx::query(sql).bind(after).bind(i64::from(most)).fetch_all(&mut *read).await?;
        read.commit().await?;
        Ok(rows)
    }

    async fn update(&self, values: &[Resealed]) -> Result<u64, sqlx::Error> {
        let sql = "UPDATE portal_webhook_values SET sealed = $3 WHERE number = $1 AND sealed = $2";
        let mut write = self.pool.begin().await?;
        let mut resealed = 0;
        for Resealed { number, before, after } in values {
            let query = sqlx::query(sql).bind(column(*number)).bind(before.as_slice());
            let done = query.bind(after.as_slice()).execute(&mut *write).await?;
            resealed += done.rows_affected();
        }
        write.commit().await?;
        Ok(resealed)
    }

    async fn remember(&self, id: &str, until: i64, now: i64) -> Result<bool, sqlx::Error> {
        let mut write = self.pool.begin().await?;
        let sql = "DELETE FROM portal_webhook_ids WHERE until < $1";
        sqlx::query(sql).bind(now).execute(&mut *write).await?;
        let sql = "INSERT INTO portal_webhook_ids (id, until) VALUES ($1, $2) \
                   ON CONFLICT (id) DO NOTHING";
        let done = sqlx::query(sql).bind(id).bind(until).execute(&mut *write).await?;
        write.commit().await?;
        Ok(done.rows_affected() == 1)
    }
}

/// How long one waits for a connection: the service that asks waits for ten seconds in all.
const PATIENCE: Duration = Duration::from_secs(4);

const TABLES: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS portal_webhook_values (
        number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind TEXT NOT NULL, client TEXT NOT NULL, method TEXT NOT NULL, pair TEXT NOT NULL,
        sealed BYTEA NOT NULL
    )",
    "CREATE INDEX IF NOT EXISTS portal_webhook_values_of_client
        ON portal_webhook_values (client, kind, number)",
    "CREATE TABLE IF NOT EXISTS portal_webhook_ids (id TEXT PRIMARY KEY, until BIGINT NOT NULL)",
];

/// Numbers are given before they are seen: a value whose number is smaller may be committed later.
/// Whoever adds holds this lock with others from before its number until its commit, and whoever
/// reads by numbers has it alone, so that none appears below those that were read.
///
/// It is a statement of its own: what the next one sees is from after it.
async fn lock(
    transaction: &mut Transaction<'_, Postgres>,
    function: &'static str,
) -> Result<(), sqlx::Error> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {function}($1)"));
    sqlx::query(sql).bind(LOCK).execute(&mut **transaction).await.map(drop)
}

/// Locks of a database are told apart by number: this one is `portal w`.
const LOCK: i64 = i64::from_be_bytes(*b"portal w");

#[async_trait]
impl Store for PostgresStore {
    async fn add(&self, kept: &Kept) -> Result<(), StoreError> {
        self.insert(kept).await.map_err(StoreError::new)
    }

    async fn all(&self, kind: Kind, client: &str) -> Result<Vec<Kept>, StoreError> {
        let sql = "SELECT number, kind, client, method, pair, sealed FROM portal_webhook_values \
                   WHERE kind = $1 AND client = $2 ORDER BY number DESC";
        let rows = sqlx::query(sql).bind(kind.as_str()).bind(client).fetch_all(&self.pool).await;
        let rows = rows.map_err(StoreError::new)?;
        rows.iter().map(|row| Ok(numbered(row).map_err(StoreError::new)?.kept)).collect()
    }

    async fn erase(&self, client: &str, pair: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM portal_webhook_values WHERE client = $1 AND pair = $2";
        let done = sqlx::query(sql).bind(client).bind(pair).execute(&self.pool).await;
        done.map(drop).map_err(StoreError::new)
    }

    async fn after(&self, after: u64, most: u32) -> Result<Vec<Numbered>, StoreError> {
        let rows = self.read_after(column(after), most).await.map_err(StoreError::new)?;
        rows.iter().map(|row| numbered(row).map_err(StoreError::new)).collect()
    }

    async fn reseal(&self, values: &[Resealed]) -> Result<u64, StoreError> {
        self.update(values).await.map_err(StoreError::new)
    }

    async fn is_first(&self, id: &str, until: u64, now: u64) -> Result<bool, StoreError> {
        self.remember(id, column(until), column(now)).await.map_err(StoreError::new)
    }
}

fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn numbered(row: &PgRow) -> Result<Numbered, sqlx::Error> {
    let kind = Kind::of(row.try_get("kind")?);
    let kind =
        kind.ok_or_else(|| sqlx::Error::Decode("a value is of no kind that is known".into()))?;
    let (client, method) = (row.try_get("client")?, row.try_get("method")?);
    let place = Place { kind, client, method, pair: row.try_get("pair")? };
    let number = row.try_get::<i64, _>("number")?.try_into();
    let number = number.map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Numbered { number, kept: Kept { place, sealed: row.try_get("sealed")? } })
}
