//! The check values of the operator's keys.

use std::collections::BTreeSet;

use portal_keys::KeyCheck;
use sqlx::{Row, sqlite::SqliteRow};

use super::{Snapshot, StoreError, Write};

/// A key that the service does not seal under.
#[derive(Clone, Debug)]
pub struct IdleKey {
    /// Which it is.
    pub id: String,
    /// How often it was noted whether the service seals under it. While this number stays, so
    /// does that it does not.
    changes: i64,
}

impl Snapshot {
    /// The check values of the keys that anything is wrapped under.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn key_checks(&mut self) -> Result<Vec<KeyCheck>, StoreError> {
        let sql = "SELECT value FROM key_checks ORDER BY key_id";
        let rows = sqlx::query(sql).fetch_all(self.connection()).await?;
        let check = |value| KeyCheck::decode(value).map_err(|_| StoreError::Damaged("key check"));
        rows.iter().map(|row| check(row.try_get("value")?)).collect()
    }

    /// The ids of the keys that the service seals under, as it was last started.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sealing_keys(&mut self) -> Result<BTreeSet<String>, StoreError> {
        let sql = "SELECT key_id FROM key_checks WHERE seals";
        let rows = sqlx::query(sql).fetch_all(self.connection()).await?;
        rows.iter().map(|row| Ok(row.try_get("key_id")?)).collect()
    }

    /// The keys that the service does not seal under.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn idle_keys(&mut self) -> Result<Vec<IdleKey>, StoreError> {
        let sql = "SELECT key_id, changes FROM key_checks WHERE NOT seals ORDER BY key_id";
        let rows = sqlx::query(sql).fetch_all(self.connection()).await?;
        let idle = |row: &SqliteRow| {
            Ok(IdleKey { id: row.try_get("key_id")?, changes: row.try_get("changes")? })
        };
        rows.iter().map(idle).collect()
    }
}

impl Write {
    /// Adds the check value of a key, which the service seals under from now on.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn insert_key_check(&mut self, check: &KeyCheck) -> Result<(), StoreError> {
        // A key that was forgotten and is here again begins to count elsewhere.
        let sql = "INSERT INTO key_checks (key_id, value, seals, changes) \
                   VALUES ($1, $2, TRUE, random() / 2)";
        sqlx::query(sql)
            .bind(check.key_id())
            .bind(check.encode())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Notes whether the service seals under a key, and that this was noted once more.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn set_sealing(&mut self, key_id: &str, seals: bool) -> Result<(), StoreError> {
        let sql = "UPDATE key_checks SET seals = $2, changes = changes + 1 WHERE key_id = $1";
        let query = sqlx::query(sql).bind(key_id).bind(seals);
        query.execute(self.connection()).await?;
        Ok(())
    }

    /// Forgets a key that the service has not sealed under since it was found [idle](IdleKey); if
    /// it has, nothing is done. Whether it did.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn forget_key(&mut self, key: &IdleKey) -> Result<bool, StoreError> {
        let sql = "DELETE FROM key_checks WHERE key_id = $1 AND NOT seals AND changes = $2";
        let query = sqlx::query(sql).bind(&key.id).bind(key.changes);
        Ok(query.execute(self.connection()).await?.rows_affected() > 0)
    }
}
