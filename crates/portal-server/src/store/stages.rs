//! How far backup pairs have come by the word of their app.

use backup_core::{ClientId, SharePairId};
use portal_api::compat::BackupStage;

use super::{StoreError, Write};

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
