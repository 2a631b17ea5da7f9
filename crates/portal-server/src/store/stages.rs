//! How far backup pairs have come by the word of their app.

use backup_core::{ClientId, SharePairId};
use portal_api::compat::BackupStage;
use sqlx::Row;

use super::{Snapshot, StoreError, Write, columns};

impl Snapshot {
    /// The stage of each pair of a backup set.
    pub(super) async fn stages(
        &mut self,
        client: &ClientId,
        backup: &str,
    ) -> Result<Vec<(SharePairId, BackupStage)>, StoreError> {
        let sql = "SELECT id, stage FROM backup_pairs WHERE client_id = $1 AND backup_id = $2";
        let rows = sqlx::query(sql)
            .bind(client.as_str())
            .bind(backup)
            .fetch_all(self.connection())
            .await?;
        let stage = |row: &sqlx::sqlite::SqliteRow| {
            let id = columns::parsed(row.try_get("id")?, "pair id")?;
            Ok((id, columns::stage(row.try_get("stage")?)?))
        };
        rows.iter().map(stage).collect()
    }
}

impl Write {
    /// Notes how far a pair has come.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn set_stage(
        &mut self,
        client: &ClientId,
        pair: &SharePairId,
        stage: BackupStage,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE backup_pairs SET stage = $3 WHERE client_id = $1 AND id = $2")
            .bind(client.as_str())
            .bind(pair.as_str())
            .bind(stage.as_str())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}
