//! What the passkey enclave keeps in the database: records of clients, passkeys, sealed keys.

use std::iter;

use backup_core::{EncryptionContext, Error, ErrorKind, Result, async_trait};
use backup_methods_passkey::{
    CredentialId,
    enclave::{
        Action, AuditRecord, Change, Commit, Committed, EnclaveStore, KeyId, Loaded, SealedKey,
    },
};
use sqlx::Row;

use super::{Store, StoreError, Write, columns};
use crate::audit::Access;

#[async_trait]
impl EnclaveStore for Store {
    async fn load(&self, client: &EncryptionContext) -> Result<Loaded> {
        Ok(self.enclave_record(client).await?)
    }

    async fn sealed(
        &self,
        client: &EncryptionContext,
        key: &KeyId,
        passkey: &CredentialId,
    ) -> Result<Option<Vec<u8>>> {
        Ok(self.enclave_key(client, key, passkey).await?)
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<Committed> {
        Ok(self.commit_to_enclave(commit).await?)
    }

    async fn note(&self, audit: &AuditRecord) -> Result<()> {
        Ok(self.note_refusal(audit).await?)
    }
}

impl Store {
    async fn enclave_record(&self, client: &EncryptionContext) -> Result<Loaded, StoreError> {
        let sql = "SELECT version, record FROM enclave_clients WHERE client_id = $1";
        let query = sqlx::query(sql).bind(client.client.as_str());
        let row = query.fetch_optional(&self.pool).await?;
        let Some(row) = row else { return Ok(Loaded::default()) };
        let version = columns::from_column(row.try_get("version")?)?;
        Ok(Loaded { version, record: row.try_get("record")? })
    }

    async fn enclave_key(
        &self,
        client: &EncryptionContext,
        key: &KeyId,
        passkey: &CredentialId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT sealed_key FROM enclave_keys \
                   WHERE client_id = $1 AND key_id = $2 AND passkey = $3";
        let row = sqlx::query(sql)
            .bind(client.client.as_str())
            .bind(key.as_str())
            .bind(passkey.as_bytes())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(row.try_get("sealed_key")?)).transpose()
    }

    /// All of it in one transaction. Dropped before its commit, that changes nothing.
    async fn commit_to_enclave(&self, commit: &Commit<'_>) -> Result<Committed, StoreError> {
        let is_of_record_only = commit.version > 0 && commit.change.is_empty();
        if is_of_record_only && self.commit_at_once(commit).await? {
            return Ok(Committed::Done);
        }
        let mut write = self.write().await?;
        if !write.replace_enclave_record(commit).await? {
            return Ok(Committed::Moved);
        }
        if let Some(passkey) = &commit.change.new_passkey
            && !write.insert_passkey(commit.client, passkey).await?
        {
            return Ok(Committed::Taken);
        }
        write.remove_from_enclave(commit.client, commit.change).await?;
        for sealed in &commit.change.sealed {
            write.insert_enclave_key(commit.client, sealed).await?;
        }
        write.note_enclave(commit.audit).await?;
        write.commit().await?;
        Ok(Committed::Done)
    }

    async fn note_refusal(&self, audit: &AuditRecord) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        write.note_enclave(audit).await?;
        write.commit().await
    }
}

impl Write {
    /// Whether the record still had the version that it must have.
    async fn replace_enclave_record(&mut self, commit: &Commit<'_>) -> Result<bool, StoreError> {
        let sql = match commit.version {
            0 => {
                "INSERT INTO enclave_clients (client_id, version, record) VALUES ($1, $2 + 1, $3) \
                 ON CONFLICT DO NOTHING"
            }
            _ => {
                "UPDATE enclave_clients SET version = $2 + 1, record = $3 \
                 WHERE client_id = $1 AND version = $2"
            }
        };
        let done = sqlx::query(sql)
            .bind(commit.client.client.as_str())
            .bind(columns::to_column(commit.version))
            .bind(commit.record)
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Whether it was nobody's yet.
    async fn insert_passkey(
        &mut self,
        client: &EncryptionContext,
        passkey: &CredentialId,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO enclave_passkeys (passkey, client_id) VALUES ($1, $2) \
                   ON CONFLICT DO NOTHING";
        let done = sqlx::query(sql)
            .bind(passkey.as_bytes())
            .bind(client.client.as_str())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// What was sealed for a passkey goes with it.
    async fn remove_from_enclave(
        &mut self,
        client: &EncryptionContext,
        change: &Change,
    ) -> Result<(), StoreError> {
        if let Some(passkey) = &change.removed_passkey {
            let sql = "DELETE FROM enclave_passkeys WHERE client_id = $1 AND passkey = $2";
            let query = sqlx::query(sql).bind(client.client.as_str()).bind(passkey.as_bytes());
            let done = query.execute(self.connection()).await?;
            self.destroyed(done.rows_affected());
        }
        if let Some(key) = &change.removed_key {
            let sql = "DELETE FROM enclave_keys WHERE client_id = $1 AND key_id = $2";
            let query = sqlx::query(sql).bind(client.client.as_str()).bind(key.as_str());
            let done = query.execute(self.connection()).await?;
            self.destroyed(done.rows_affected());
        }
        Ok(())
    }

    async fn insert_enclave_key(
        &mut self,
        client: &EncryptionContext,
        SealedKey { key, passkey, holder, bytes }: &SealedKey,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO enclave_keys (id, client_id, key_id, passkey, holder, sealed_key) \
                   VALUES ($1, $2, $3, $4, $5, $6)";
        sqlx::query(sql)
            .bind(format!("{}/{key}/{holder}", client.client))
            .bind(client.client.as_str())
            .bind(key.as_str())
            .bind(passkey.as_bytes())
            .bind(holder)
            .bind(bytes)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    async fn note_enclave(&mut self, audit: &AuditRecord) -> Result<(), StoreError> {
        let subject = subject(audit);
        let noted = iter::once((&audit.client, subject.as_str()));
        self.note_accesses(audit.at, access(audit), noted).await
    }
}

/// As what it is noted.
pub(super) fn access(audit: &AuditRecord) -> Access {
    match (audit.refused, audit.action) {
        (Some(_), _) => Access::EnclaveRefused,
        (None, Action::Read) => Access::KeyReleased,
        (None, _) => Access::Enclave,
    }
}

/// What was asked, why it was refused, and what it was about: none of it has a space in it.
pub(super) fn subject(audit: &AuditRecord) -> String {
    let about = [
        audit.refused.map(str::to_owned),
        audit.key.as_ref().map(|key| format!("key={key}")),
        audit.passkey.as_ref().map(|passkey| format!("passkey={passkey}")),
    ];
    let asked = iter::once(audit.action.as_str().to_owned());
    asked.chain(about.into_iter().flatten()).collect::<Vec<_>>().join(" ")
}

/// As the enclave is told. Why the database fails is in the log only.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        if error.is_busy() {
            Self::new(ErrorKind::Unavailable, "the database is busy").with_source(error)
        } else {
            Self::new(ErrorKind::Damaged, "the database failed").with_source(error)
        }
    }
}
