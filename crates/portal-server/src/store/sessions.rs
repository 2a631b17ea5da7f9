//! Sessions, and what is cleared away of them.

mod rows;

pub(crate) use self::rows::{NewSession, SessionRow};
use super::{Snapshot, StoreError, Write, columns};

impl Snapshot {
    /// How many sessions wait for their second post.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn open_sessions(&mut self) -> Result<i64, StoreError> {
        let sql = "SELECT COUNT(*) FROM sessions WHERE NOT is_dead AND sealed_state IS NOT NULL";
        Ok(sqlx::query_scalar(sql).fetch_one(self.connection()).await?)
    }
}

impl Write {
    /// Ends the sessions of another generation, and those that were begun at `before` or earlier:
    /// their states and replies are erased, their marks stay. Says how many they were.
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
                   WHERE NOT is_dead AND (generation <> $1 OR created_at <= $2)";
        let done = sqlx::query(sql)
            .bind(generation.as_slice())
            .bind(columns::to_column(before))
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }

    /// Deletes the marks of sessions that were begun at `before` or earlier, but for those whose
    /// signing set is still there: with its pairs no session id may ever be used twice. Says how
    /// many.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn delete_session_marks(&mut self, before: u64) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM sessions WHERE uses IS NULL AND created_at <= $1")
            .bind(columns::to_column(before))
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }
}
