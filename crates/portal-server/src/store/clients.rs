//! What is known of a client besides its sets.

use backup_core::{ClientId, CustodianId};
use sqlx::{Row, sqlite::SqliteRow};

use super::{Snapshot, StoreError, columns};

/// A client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientRow {
    /// The client.
    pub id: ClientId,
    /// Whose client it is.
    pub custodian: CustodianId,
    /// What people call that custodian, if anything.
    pub custodian_name: Option<String>,
    /// As its custodian asked for.
    pub is_account_abstracted: bool,
    /// Whether its ciphertexts are kept here.
    pub backup_with_portal: bool,
    /// When it was made.
    pub created_at: u64,
}

impl Snapshot {
    /// A client of this custodian.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn client(
        &mut self,
        custodian: &CustodianId,
        client: &ClientId,
    ) -> Result<Option<ClientRow>, StoreError> {
        let sql = "SELECT c.id, c.custodian_id, c.is_account_abstracted, c.created_at, \
                   k.backup_with_portal, k.name \
                   FROM clients c JOIN custodians k ON k.id = c.custodian_id \
                   WHERE c.custodian_id = $1 AND c.id = $2";
        let row = sqlx::query(sql)
            .bind(custodian.as_str())
            .bind(client.as_str())
            .fetch_optional(self.connection())
            .await?;
        row.as_ref().map(ClientRow::of).transpose()
    }

    /// Some clients of this custodian, the oldest first, beginning after one of them.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn clients_after(
        &mut self,
        custodian: &CustodianId,
        cursor: Option<&ClientId>,
        most: u32,
    ) -> Result<Vec<ClientId>, StoreError> {
        let sql = "SELECT id FROM clients WHERE custodian_id = $1 AND ($2 IS NULL OR \
                   (created_at, id) > (SELECT created_at, id FROM clients WHERE id = $2)) \
                   ORDER BY created_at, id LIMIT $3";
        let rows = sqlx::query(sql)
            .bind(custodian.as_str())
            .bind(cursor.map(ClientId::as_str))
            .bind(most)
            .fetch_all(self.connection())
            .await?;
        rows.iter().map(|row| columns::parsed(row.try_get("id")?, "client id")).collect()
    }

    /// How many clients this custodian has.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn count_clients(&mut self, custodian: &CustodianId) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(*) AS clients FROM clients WHERE custodian_id = $1";
        let row = sqlx::query(sql).bind(custodian.as_str()).fetch_one(self.connection()).await?;
        columns::from_column(row.try_get("clients")?)
    }

    /// All clients of this custodian, the oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn clients(&mut self, custodian: &CustodianId) -> Result<Vec<ClientId>, StoreError> {
        let sql = "SELECT id FROM clients WHERE custodian_id = $1 ORDER BY created_at, id";
        let rows = sqlx::query(sql).bind(custodian.as_str()).fetch_all(self.connection()).await?;
        rows.iter().map(|row| columns::parsed(row.try_get("id")?, "client id")).collect()
    }
}

impl ClientRow {
    fn of(row: &SqliteRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: columns::parsed(row.try_get("id")?, "client id")?,
            custodian: columns::parsed(row.try_get("custodian_id")?, "custodian id")?,
            custodian_name: row.try_get("name")?,
            is_account_abstracted: row.try_get("is_account_abstracted")?,
            backup_with_portal: row.try_get("backup_with_portal")?,
            created_at: columns::from_column(row.try_get("created_at")?)?,
        })
    }
}
