//! What is cleared away of sessions.

use super::{StoreError, Write, columns};

impl Write {
    /// Erases the states and replies of sessions that are dead, of another generation, or were
    /// begun at `before` or earlier. Their marks stay. Says how
    /// many they were.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn erase_sessions(
        &mut self,
        generation: &[u8; 16],
        before: u64,
    ) -> Result<u64, StoreError> {
        let sql = "UPDATE sessions SET is_dead = TRUE, \
                   sealed_state = NULL, sealed_first_reply = NULL, sealed_second_reply = NULL \
                   WHERE (is_dead OR generation <> $1 OR created_at <= $2) AND \
                   (NOT is_dead OR sealed_state IS NOT NULL OR sealed_first_reply IS NOT NULL \
                   OR sealed_second_reply IS NOT NULL)";
        let done = sqlx::query(sql)
            .bind(generation.as_slice())
            .bind(columns::to_column(before))
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }

    /// Deletes the marks of sessions that were begun at `before` or earlier. Says how many.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn delete_session_marks(&mut self, before: u64) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM sessions WHERE created_at <= $1")
            .bind(columns::to_column(before))
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }
}
