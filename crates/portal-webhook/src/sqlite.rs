//! Sealed values in a SQLite database.

use std::path::Path;

use async_trait::async_trait;
use sqlx::{
    Row, SqlitePool,
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
    },
};

use crate::store::{Kept, Kind, Numbered, Place, Resealed, Store, StoreError};

/// A database in a file, of which this makes what it needs.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
}

impl SqliteStore {
    /// Opens the database, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be opened.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        // What is added is on the disk before anybody is told, and what is erased is overwritten.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("secure_delete", "ON");
        // One connection: what it does is a transaction after the other.
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options);
        let pool = pool.await.map_err(StoreError::new)?;
        for sql in TABLES {
            sqlx::query(sql).execute(&pool).await.map_err(StoreError::new)?;
        }
        Ok(Self { pool })
    }
}

const TABLES: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS portal_webhook_values (
        kind TEXT NOT NULL, client TEXT NOT NULL, method TEXT NOT NULL, pair TEXT NOT NULL,
        version BIGINT NOT NULL, sealed BLOB NOT NULL,
        PRIMARY KEY (client, kind, method, pair, version)
    )",
    "CREATE TABLE IF NOT EXISTS portal_webhook_ids (id TEXT PRIMARY KEY, until BIGINT NOT NULL)",
];

#[async_trait]
impl Store for SqliteStore {
    async fn add(&self, Kept { place, sealed }: &Kept) -> Result<(), StoreError> {
        let sql = "INSERT INTO portal_webhook_values (kind, client, method, pair, version, sealed) \
                   SELECT $1, $2, $3, $4, COALESCE(MAX(version), 0) + 1, $5 \
                   FROM portal_webhook_values \
                   WHERE kind = $1 AND client = $2 AND method = $3 AND pair = $4";
        sqlx::query(sql)
            .bind(place.kind.as_str())
            .bind(&place.client)
            .bind(&place.method)
            .bind(&place.pair)
            .bind(sealed.as_slice())
            .execute(&self.pool)
            .await
            .map_err(StoreError::new)?;
        Ok(())
    }

    async fn all(&self, kind: Kind, client: &str) -> Result<Vec<Kept>, StoreError> {
        let sql = "SELECT method, pair, sealed FROM portal_webhook_values \
                   WHERE kind = $1 AND client = $2 ORDER BY rowid DESC";
        let rows = sqlx::query(sql).bind(kind.as_str()).bind(client).fetch_all(&self.pool).await;
        let kept = |row: &SqliteRow| {
            let (method, pair) = (row.try_get("method")?, row.try_get("pair")?);
            let place = Place { kind, client: client.to_owned(), method, pair };
            Ok(Kept { place, sealed: row.try_get("sealed")? })
        };
        let kept = rows.and_then(|rows| rows.iter().map(kept).collect::<Result<_, sqlx::Error>>());
        kept.map_err(StoreError::new)
    }

    async fn erase(&self, client: &str, pair: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM portal_webhook_values WHERE client = $1 AND pair = $2";
        let done = sqlx::query(sql).bind(client).bind(pair).execute(&self.pool).await;
        done.map_err(StoreError::new)?;
        let scrub = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.pool).await;
        scrub.map(drop).map_err(StoreError::new)
    }

    async fn after(&self, after: u64, most: u32) -> Result<Vec<Numbered>, StoreError> {
        let sql = "SELECT rowid, kind, client, method, pair, sealed FROM portal_webhook_values \
                   WHERE rowid > $1 ORDER BY rowid LIMIT $2";
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let rows = sqlx::query(sql).bind(after).bind(most).fetch_all(&self.pool).await;
        let rows = rows.map_err(StoreError::new)?;
        rows.iter().map(|row| numbered(row).map_err(StoreError::new)).collect()
    }

    async fn reseal(&self, values: &[Resealed]) -> Result<u64, StoreError> {
        let sql = "UPDATE portal_webhook_values SET sealed = $3 WHERE rowid = $1 AND sealed = $2";
        let mut write = self.pool.begin().await.map_err(StoreError::new)?;
        let mut resealed = 0;
        for Resealed { number, before, after } in values {
            let number = i64::try_from(*number).unwrap_or(i64::MAX);
            let query = sqlx::query(sql).bind(number).bind(before.as_slice());
            let done = query.bind(after.as_slice()).execute(&mut *write).await;
            resealed += done.map_err(StoreError::new)?.rows_affected();
        }
        write.commit().await.map_err(StoreError::new)?;
        Ok(resealed)
    }

    async fn is_first(&self, id: &str, until: u64, now: u64) -> Result<bool, StoreError> {
        let [until, now] = [until, now].map(|time| i64::try_from(time).unwrap_or(i64::MAX));
        let sql = "DELETE FROM portal_webhook_ids WHERE until < $1";
        sqlx::query(sql).bind(now).execute(&self.pool).await.map_err(StoreError::new)?;
        let sql = "INSERT INTO portal_webhook_ids (id, until) VALUES ($1, $2) \
                   ON CONFLICT (id) DO NOTHING";
        let done = sqlx::query(sql).bind(id).bind(until).execute(&self.pool).await;
        Ok(done.map_err(StoreError::new)?.rows_affected() == 1)
    }
}

fn numbered(row: &SqliteRow) -> Result<Numbered, sqlx::Error> {
    let kind = Kind::of(row.try_get("kind")?);
    let kind =
        kind.ok_or_else(|| sqlx::Error::Decode("a value is of no kind that is known".into()))?;
    let (client, method) = (row.try_get("client")?, row.try_get("method")?);
    let place = Place { kind, client, method, pair: row.try_get("pair")? };
    let number = row.try_get::<i64, _>("rowid")?.try_into();
    let number = number.map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Numbered { number, kept: Kept { place, sealed: row.try_get("sealed")? } })
}
