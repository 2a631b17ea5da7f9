//! API keys of custodians and of their clients. One may have several, so that a new key is in use
//! before the old one is over.

use backup_core::{ClientId, CustodianId, EncryptionContext};
use sqlx::{Row, sqlite::SqliteRow};

use super::{Snapshot, Store, StoreError, Write, columns};
use crate::api_key::ApiKeyHash;

/// Whose a key is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyOwner {
    /// A custodian's.
    Custodian(CustodianId),
    /// A client's.
    Client(EncryptionContext),
}

/// What is known of a key, which is not the key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyRow {
    /// The name by which it is revoked.
    pub id: String,
    /// When it was made (seconds since 1970).
    pub created_at: u64,
    /// When it is over, or was revoked; `None` if it never is.
    pub ends_at: Option<u64>,
}

/// A key to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewKey {
    /// Of the key.
    pub hash: ApiKeyHash,
    /// The time.
    pub now: u64,
    /// When it is over.
    pub ends_at: Option<u64>,
}

impl Store {
    /// The client who has this key at `now`. Every request asks: with one statement, and no
    /// transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn client_by_key(
        &self,
        key: &ApiKeyHash,
        now: u64,
    ) -> Result<Option<EncryptionContext>, StoreError> {
        let row = sqlx::query(IS_IN_FORCE)
            .bind(key.as_bytes().as_slice())
            .bind(columns::to_column(now))
            .fetch_optional(&self.pool)
            .await?;
        client(row.as_ref(), key)
    }
}

impl Snapshot {
    /// The custodian who has this key at `now`.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn custodian_by_key(
        &mut self,
        key: &ApiKeyHash,
        now: u64,
    ) -> Result<Option<CustodianId>, StoreError> {
        let row = sqlx::query(IS_IN_FORCE)
            .bind(key.as_bytes().as_slice())
            .bind(columns::to_column(now))
            .fetch_optional(self.connection())
            .await?;
        match owner(row.as_ref(), key)? {
            Some(KeyOwner::Custodian(custodian)) => Ok(Some(custodian)),
            _ => Ok(None),
        }
    }

    /// The keys of a custodian itself, or of a client, the oldest first; those that are over too.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn api_keys(&mut self, owner: &KeyOwner) -> Result<Vec<KeyRow>, StoreError> {
        let sql = "SELECT id, created_at, ends_at FROM api_keys \
                   WHERE custodian_id = $1 AND client_id IS $2 ORDER BY created_at, id";
        let (custodian, client) = owner.columns();
        let rows =
            sqlx::query(sql).bind(custodian).bind(client).fetch_all(self.connection()).await?;
        rows.iter().map(KeyRow::of).collect()
    }
}

impl Write {
    /// Adds a key, beside those that its owner has.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn insert_api_key(
        &mut self,
        owner: &KeyOwner,
        key: NewKey,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO api_keys \
                   (id, key_hash, custodian_id, client_id, created_at, ends_at) \
                   VALUES ($1, $2, $3, $4, $5, $6)";
        let (custodian, client) = owner.columns();
        sqlx::query(sql)
            .bind(key.hash.name())
            .bind(key.hash.as_bytes().as_slice())
            .bind(custodian)
            .bind(client)
            .bind(columns::to_column(key.now))
            .bind(key.ends_at.map(columns::to_column))
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Ends the key of this name at `now`, unless it is over before that; whether there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn end_api_key(&mut self, id: &str, now: u64) -> Result<bool, StoreError> {
        let sql = "UPDATE api_keys SET ends_at = MIN(COALESCE(ends_at, $2), $2) WHERE id = $1";
        let done = sqlx::query(sql)
            .bind(id)
            .bind(columns::to_column(now))
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

impl KeyOwner {
    fn columns(&self) -> (&str, Option<&str>) {
        match self {
            Self::Custodian(custodian) => (custodian.as_str(), None),
            Self::Client(client) => (client.custodian.as_str(), Some(client.client.as_str())),
        }
    }
}

impl KeyRow {
    /// Whether it is over at `now`.
    #[must_use]
    pub fn is_over(&self, now: u64) -> bool {
        self.ends_at.is_some_and(|ends_at| ends_at <= now)
    }

    fn of(row: &SqliteRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.try_get("id")?,
            created_at: columns::from_column(row.try_get("created_at")?)?,
            ends_at: columns::from_column_option(row.try_get("ends_at")?)?,
        })
    }
}

/// The client whose key this row is of.
pub(super) fn client(
    row: Option<&SqliteRow>,
    key: &ApiKeyHash,
) -> Result<Option<EncryptionContext>, StoreError> {
    match owner(row, key)? {
        Some(KeyOwner::Client(client)) => Ok(Some(client)),
        _ => Ok(None),
    }
}

fn owner(row: Option<&SqliteRow>, key: &ApiKeyHash) -> Result<Option<KeyOwner>, StoreError> {
    let Some(row) = row else { return Ok(None) };
    if !key.is(row.try_get("key_hash")?) {
        return Ok(None);
    }
    let custodian = columns::parsed(row.try_get("custodian_id")?, "custodian id")?;
    let client: Option<ClientId> = columns::parsed_option(row.try_get("client_id")?, "client id")?;
    Ok(Some(match client {
        Some(client) => KeyOwner::Client(EncryptionContext::new(custodian, client)),
        None => KeyOwner::Custodian(custodian),
    }))
}

const IS_IN_FORCE: &str = "SELECT custodian_id, client_id, key_hash FROM api_keys \
                           WHERE key_hash = $1 AND (ends_at IS NULL OR ends_at > $2)";
