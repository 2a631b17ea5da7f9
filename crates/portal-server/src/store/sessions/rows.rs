//! Sessions, one row each.

use backup_core::ClientId;
use portal_api::DevicePublicKey;
use portal_mpc::SessionId;
use sqlx::{Row, sqlite::SqliteRow};

use crate::store::{Snapshot, StoreError, Write, columns};

/// A session, or the mark that is left of it.
#[derive(Clone, Debug)]
pub(crate) struct SessionRow {
    /// Whose signature its posts carry.
    pub(crate) signer: DevicePublicKey,
    /// The set that what is made replaces.
    pub(crate) replaces: Option<DevicePublicKey>,
    /// The run of the process that it belongs to.
    pub(crate) generation: Vec<u8>,
    /// The operation's name.
    pub(crate) operation: String,
    /// Its pairs.
    pub(crate) subject: String,
    /// SHA-256 of the post that opened it.
    pub(crate) first_post_sha256: [u8; 32],
    /// SHA-256 of the answer to it.
    pub(crate) first_reply_sha256: [u8; 32],
    /// That answer.
    pub(crate) sealed_first_reply: Option<Vec<u8>>,
    /// What the second post needs, until it has come.
    pub(crate) sealed_state: Option<Vec<u8>>,
    /// SHA-256 of the second post, once it has come.
    pub(crate) second_post_sha256: Option<[u8; 32]>,
    /// The answer to it.
    pub(crate) sealed_second_reply: Option<Vec<u8>>,
    /// Whether it is over.
    pub(crate) is_dead: bool,
    /// When it was begun.
    pub(crate) created_at: u64,
}

/// A session whose first post was answered.
#[derive(Debug)]
pub(crate) struct NewSession<'a> {
    pub(crate) id: &'a SessionId,
    pub(crate) signer: DevicePublicKey,
    /// Whether it starts from the signing set of its signer, which its mark then lives as long as.
    pub(crate) uses_signing_set: bool,
    pub(crate) replaces: Option<DevicePublicKey>,
    pub(crate) generation: [u8; 16],
    pub(crate) operation: &'static str,
    pub(crate) subject: &'a str,
    pub(crate) first_post_sha256: [u8; 32],
    pub(crate) first_reply_sha256: [u8; 32],
    pub(crate) sealed_first_reply: Vec<u8>,
    pub(crate) sealed_state: Vec<u8>,
}

impl Snapshot {
    /// A client's session.
    pub(crate) async fn session(
        &mut self,
        client: &ClientId,
        id: &SessionId,
    ) -> Result<Option<SessionRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM sessions WHERE id = $1 AND client_id = $2")
            .bind(id.as_bytes().as_slice())
            .bind(client.as_str())
            .fetch_optional(self.connection())
            .await?;
        row.as_ref().map(SessionRow::of).transpose()
    }
}

impl Write {
    /// Stores a session whose id no row has.
    pub(crate) async fn insert_session(
        &mut self,
        client: &ClientId,
        session: NewSession<'_>,
        now: u64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO sessions (id, client_id, signer, uses, replaces, generation, \
                   operation, subject, first_post_sha256, first_reply_sha256, \
                   sealed_first_reply, sealed_state, is_dead, created_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, FALSE, $13)";
        let signer = session.signer.as_bytes().as_slice();
        sqlx::query(sql)
            .bind(session.id.as_bytes().as_slice())
            .bind(client.as_str())
            .bind(signer)
            .bind(session.uses_signing_set.then_some(signer))
            .bind(session.replaces.as_ref().map(|key| key.as_bytes().as_slice()))
            .bind(session.generation.as_slice())
            .bind(session.operation)
            .bind(session.subject)
            .bind(session.first_post_sha256.as_slice())
            .bind(session.first_reply_sha256.as_slice())
            .bind(session.sealed_first_reply)
            .bind(session.sealed_state)
            .bind(columns::to_column(now))
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Takes the state out, for good, for the second post with this hash. Says whether it was
    /// there.
    pub(crate) async fn take_session_state(
        &mut self,
        id: &SessionId,
        second_post_sha256: &[u8; 32],
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE sessions SET sealed_state = NULL, second_post_sha256 = $2 \
                   WHERE id = $1 AND sealed_state IS NOT NULL AND NOT is_dead";
        let done = sqlx::query(sql)
            .bind(id.as_bytes().as_slice())
            .bind(second_post_sha256.as_slice())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Stores the answer to the second post with this hash. Says whether the session still waited
    /// for it.
    pub(crate) async fn finish_session(
        &mut self,
        id: &SessionId,
        second_post_sha256: &[u8; 32],
        sealed_reply: &[u8],
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE sessions SET sealed_second_reply = $3 WHERE id = $1 \
                   AND second_post_sha256 = $2 AND sealed_second_reply IS NULL AND NOT is_dead";
        let done = sqlx::query(sql)
            .bind(id.as_bytes().as_slice())
            .bind(second_post_sha256.as_slice())
            .bind(sealed_reply)
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Ends a session: nothing of it stays but its mark.
    pub(crate) async fn end_session(&mut self, id: &SessionId) -> Result<(), StoreError> {
        let sql = "UPDATE sessions SET is_dead = TRUE, sealed_state = NULL, \
                   sealed_first_reply = NULL, sealed_second_reply = NULL WHERE id = $1";
        sqlx::query(sql).bind(id.as_bytes().as_slice()).execute(self.connection()).await?;
        Ok(())
    }

    /// Ends the sessions that started from this signing set.
    pub(crate) async fn end_sessions_of(
        &mut self,
        device_key: &DevicePublicKey,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE sessions SET is_dead = TRUE, sealed_state = NULL, \
                   sealed_first_reply = NULL, sealed_second_reply = NULL WHERE uses = $1";
        sqlx::query(sql).bind(device_key.as_bytes().as_slice()).execute(self.connection()).await?;
        Ok(())
    }
}

impl SessionRow {
    fn of(row: &SqliteRow) -> Result<Self, StoreError> {
        let replaces: Option<Vec<u8>> = row.try_get("replaces")?;
        Ok(Self {
            signer: columns::device_key(row.try_get("signer")?)?,
            replaces: replaces.map(|key| columns::device_key(&key)).transpose()?,
            generation: row.try_get("generation")?,
            operation: row.try_get("operation")?,
            subject: row.try_get("subject")?,
            first_post_sha256: columns::hash(row.try_get("first_post_sha256")?)?,
            first_reply_sha256: columns::hash(row.try_get("first_reply_sha256")?)?,
            sealed_first_reply: row.try_get("sealed_first_reply")?,
            sealed_state: row.try_get("sealed_state")?,
            second_post_sha256: columns::hash_option(row.try_get("second_post_sha256")?)?,
            sealed_second_reply: row.try_get("sealed_second_reply")?,
            is_dead: row.try_get("is_dead")?,
            created_at: columns::from_column(row.try_get("created_at")?)?,
        })
    }
}
