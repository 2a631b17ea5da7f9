//! Custodians and clients.

use backup_core::{ClientId, CustodianId, EncryptionContext};
use sqlx::Row;

use super::{KeyOwner, NewKey, Snapshot, StoreError, Write, columns};
use crate::api_key::ApiKeyHash;

impl Snapshot {
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
}

impl Write {
    /// Adds a custodian, and its first API key.
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
        sqlx::query("INSERT INTO custodians (id, created_at) VALUES ($1, $2)")
            .bind(id.as_str())
            .bind(columns::to_column(now))
            .execute(self.connection())
            .await?;
        let owner = KeyOwner::Custodian(id.clone());
        self.insert_api_key(&owner, NewKey { hash: *key, now, ends_at: None }).await
    }

    /// Says what people call a custodian; whether there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn name_custodian(
        &mut self,
        custodian: &CustodianId,
        name: &str,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE custodians SET name = $2 WHERE id = $1")
            .bind(custodian.as_str())
            .bind(name)
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() > 0)
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

    /// Adds a client, and its first API key.
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
                   (id, custodian_id, is_account_abstracted, created_at) \
                   VALUES ($1, $2, $3, $4)";
        sqlx::query(sql)
            .bind(context.client.as_str())
            .bind(context.custodian.as_str())
            .bind(is_account_abstracted)
            .bind(columns::to_column(now))
            .execute(self.connection())
            .await?;
        let owner = KeyOwner::Client(context.clone());
        self.insert_api_key(&owner, NewKey { hash: *key, now, ends_at: None }).await
    }

    /// The next number of this client's sets and commits: each is greater than all before.
    pub(super) async fn next_number(&mut self, client: &ClientId) -> Result<i64, StoreError> {
        let sql = "UPDATE clients SET counter = counter + 1 WHERE id = $1 RETURNING counter";
        let row = sqlx::query(sql).bind(client.as_str()).fetch_one(self.connection()).await?;
        Ok(row.try_get("counter")?)
    }
}
