//! Custodians, clients, and the check values of keys.

use backup_core::{ClientId, CustodianId, EncryptionContext};
use portal_keys::KeyCheck;
use sqlx::Row;

use super::{Snapshot, Store, StoreError, Write, columns};
use crate::api_key::ApiKeyHash;

impl Store {
    /// The client who has this key. Every request asks: with one statement, and no transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn client_by_key(
        &self,
        key: &ApiKeyHash,
    ) -> Result<Option<EncryptionContext>, StoreError> {
        let sql = "SELECT id, custodian_id, api_key_hash FROM clients WHERE api_key_hash = $1";
        let row =
            sqlx::query(sql).bind(key.as_bytes().as_slice()).fetch_optional(&self.pool).await?;
        let Some(row) = row else { return Ok(None) };
        if !key.is(row.try_get("api_key_hash")?) {
            return Ok(None);
        }
        let custodian = columns::parsed(row.try_get("custodian_id")?, "custodian id")?;
        let client = columns::parsed(row.try_get("id")?, "client id")?;
        Ok(Some(EncryptionContext::new(custodian, client)))
    }
}

impl Snapshot {
    /// The custodian who has this key.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn custodian_by_key(
        &mut self,
        key: &ApiKeyHash,
    ) -> Result<Option<CustodianId>, StoreError> {
        let row = sqlx::query("SELECT id, api_key_hash FROM custodians WHERE api_key_hash = $1")
            .bind(key.as_bytes().as_slice())
            .fetch_optional(self.connection())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let is_same = key.is(row.try_get("api_key_hash")?);
        is_same.then(|| columns::parsed(row.try_get("id")?, "custodian id")).transpose()
    }

    /// All custodians.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn custodians(&mut self) -> Result<Vec<CustodianId>, StoreError> {
        let sql = "SELECT id FROM custodians ORDER BY id";
        let rows = sqlx::query(sql).fetch_all(self.connection()).await?;
        rows.iter().map(|row| columns::parsed(row.try_get("id")?, "custodian id")).collect()
    }

    /// Whether there is any custodian, and with one perhaps clients and their wallets.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn has_custodian(&mut self) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM custodians LIMIT 1";
        Ok(sqlx::query(sql).fetch_optional(self.connection()).await?.is_some())
    }

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
}

impl Write {
    /// Adds a custodian.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn insert_custodian(
        &mut self,
        id: &CustodianId,
        key: &ApiKeyHash,
        now: u64,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO custodians (id, api_key_hash, created_at) VALUES ($1, $2, $3)")
            .bind(id.as_str())
            .bind(key.as_bytes().as_slice())
            .bind(columns::to_column(now))
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Notes whether a custodian's ciphertexts are kept here.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn set_backup_with_portal(
        &mut self,
        custodian: &CustodianId,
        enabled: bool,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE custodians SET backup_with_portal = $2 WHERE id = $1")
            .bind(custodian.as_str())
            .bind(enabled)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Adds a client.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn insert_client(
        &mut self,
        context: &EncryptionContext,
        key: &ApiKeyHash,
        is_account_abstracted: bool,
        now: u64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO clients \
                   (id, custodian_id, api_key_hash, is_account_abstracted, created_at) \
                   VALUES ($1, $2, $3, $4, $5)";
        sqlx::query(sql)
            .bind(context.client.as_str())
            .bind(context.custodian.as_str())
            .bind(key.as_bytes().as_slice())
            .bind(is_account_abstracted)
            .bind(columns::to_column(now))
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Adds the check value of a key.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn insert_key_check(&mut self, check: &KeyCheck) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO key_checks (key_id, value) VALUES ($1, $2)")
            .bind(check.key_id())
            .bind(check.encode())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// The next number of this client's sets and commits: each is greater than all before.
    pub(super) async fn next_number(&mut self, client: &ClientId) -> Result<i64, StoreError> {
        let sql = "UPDATE clients SET counter = counter + 1 WHERE id = $1 RETURNING counter";
        let row = sqlx::query(sql).bind(client.as_str()).fetch_one(self.connection()).await?;
        Ok(row.try_get("counter")?)
    }
}
