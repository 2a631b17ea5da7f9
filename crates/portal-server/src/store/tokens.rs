//! Session tokens, by their hashes.

use backup_core::{ClientId, EncryptionContext};
use sqlx::Row;

use super::{Snapshot, StoreError, Write, columns};
use crate::{
    api_key::ApiKeyHash,
    session_token::{IDLE_SECONDS, LIFE_SECONDS, TokenLife},
};

/// A session token.
#[derive(Clone, Debug)]
pub struct TokenRow {
    /// Whose it is.
    pub client: EncryptionContext,
    /// How long it lives.
    pub life: TokenLife,
}

impl Snapshot {
    /// The token that has this hash, whether or not it is over.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn session_token(
        &mut self,
        token: &ApiKeyHash,
    ) -> Result<Option<TokenRow>, StoreError> {
        let sql = "SELECT t.token_hash, t.created_at, t.used_at, c.id, c.custodian_id, k.ends_at \
                   FROM session_tokens t JOIN clients c ON c.id = t.client_id \
                   LEFT JOIN api_keys k ON k.id = t.key_id WHERE t.token_hash = $1";
        let row = sqlx::query(sql)
            .bind(token.as_bytes().as_slice())
            .fetch_optional(self.connection())
            .await?;
        let Some(row) = row else { return Ok(None) };
        if !token.is(row.try_get("token_hash")?) {
            return Ok(None);
        }
        let custodian = columns::parsed(row.try_get("custodian_id")?, "custodian id")?;
        let client = columns::parsed(row.try_get("id")?, "client id")?;
        let life = TokenLife {
            created_at: columns::from_column(row.try_get("created_at")?)?,
            used_at: columns::from_column(row.try_get("used_at")?)?,
            key_ends_at: columns::from_column_option(row.try_get("ends_at")?)?,
        };
        Ok(Some(TokenRow { client: EncryptionContext::new(custodian, client), life }))
    }
}

impl Write {
    /// Adds a token, which came by this API key.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn insert_session_token(
        &mut self,
        client: &ClientId,
        token: &ApiKeyHash,
        by: &ApiKeyHash,
        now: u64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO session_tokens (token_hash, client_id, created_at, used_at, key_id) \
                   VALUES ($1, $2, $3, $3, $4)";
        sqlx::query(sql)
            .bind(token.as_bytes().as_slice())
            .bind(client.as_str())
            .bind(columns::to_column(now))
            .bind(by.name())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Notes a use of a token, unless it has been ended meanwhile.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn note_session_token(
        &mut self,
        token: &ApiKeyHash,
        now: u64,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE session_tokens SET used_at = MAX(used_at, $2) WHERE token_hash = $1")
            .bind(token.as_bytes().as_slice())
            .bind(columns::to_column(now))
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Ends all tokens of a client.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn end_session_tokens(&mut self, client: &ClientId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM session_tokens WHERE client_id = $1")
            .bind(client.as_str())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Deletes the tokens that are over at `now`, and says how many.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn delete_session_tokens(&mut self, now: u64) -> Result<u64, StoreError> {
        let sql = "DELETE FROM session_tokens WHERE used_at <= $1 OR created_at <= $2 \
                   OR key_id IN (SELECT id FROM api_keys WHERE ends_at <= $3)";
        let before = |seconds| columns::to_column_before(now, seconds);
        let done = sqlx::query(sql)
            .bind(before(IDLE_SECONDS))
            .bind(before(LIFE_SECONDS))
            .bind(columns::to_column(now))
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }
}
