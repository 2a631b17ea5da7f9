//! The check values of the operator's keys.

use std::collections::BTreeSet;

use portal_keys::KeyCheck;
use sqlx::Row;

use super::{Snapshot, StoreError, Write};

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
}

impl Write {
    /// Adds the check value of a key, which the service seals under from now on.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn insert_key_check(&mut self, check: &KeyCheck) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO key_checks (key_id, value, seals) VALUES ($1, $2, TRUE)")
            .bind(check.key_id())
            .bind(check.encode())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Notes whether the service seals under a key.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn set_sealing(&mut self, key_id: &str, seals: bool) -> Result<(), StoreError> {
        sqlx::query("UPDATE key_checks SET seals = $2 WHERE key_id = $1")
            .bind(key_id)
            .bind(seals)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Forgets the keys that the service does not seal under and nothing is wrapped under, and says
    /// which. Nobody else writes meanwhile, so that nothing comes to be wrapped under one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn forget_unused_keys(&mut self) -> Result<Vec<String>, StoreError> {
        let in_use = self.keys_of_what_is_sealed().await?;
        let sql = "SELECT key_id FROM key_checks WHERE NOT seals ORDER BY key_id";
        let rows = sqlx::query(sql).fetch_all(self.connection()).await?;
        let ids =
            rows.iter().map(|row| row.try_get("key_id")).collect::<Result<Vec<String>, _>>()?;
        let unused: Vec<_> = ids.into_iter().filter(|id| !in_use.contains(id)).collect();
        for id in &unused {
            sqlx::query("DELETE FROM key_checks WHERE key_id = $1")
                .bind(id)
                .execute(self.connection())
                .await?;
        }
        Ok(unused)
    }
}
