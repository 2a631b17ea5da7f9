//! What a client may know without a ceremony.

use backup_core::EncryptionContext;
use serde::Serialize;

use super::{KeyId, Refusal, account::Account, run::Enclave};
use crate::CredentialId;

/// How far a client has come, by Portal's names.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Status {
    /// There is no passkey.
    #[serde(rename = "not registered")]
    NotRegistered,
    /// There are passkeys, and no key.
    #[serde(rename = "registered")]
    Registered,
    /// There is a key.
    #[serde(rename = "registered with credential")]
    WithCredential,
}

/// A registered passkey.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HeldPasskey {
    /// Its id.
    pub id: CredentialId,
    /// How the user calls it.
    pub name: String,
    /// When it was registered, in seconds since 1970, UTC.
    pub added_at: u64,
    /// The keys that it may have.
    pub keys: Vec<KeyId>,
}

/// A stored key.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HeldKey {
    /// Its name.
    pub id: KeyId,
    /// When it was written, in seconds since 1970, UTC.
    pub written_at: u64,
}

impl Enclave {
    /// How far the client has come.
    ///
    /// # Errors
    ///
    /// [`Refusal::Failed`] if the storage does not answer.
    pub async fn status(&self, client: &EncryptionContext) -> Result<Status, Refusal> {
        let account = self.account(client).await?;
        Ok(match (account.passkeys.is_empty(), account.keys.is_empty()) {
            (true, _) => Status::NotRegistered,
            (false, true) => Status::Registered,
            (false, false) => Status::WithCredential,
        })
    }

    /// The client's passkeys, in the order of their registration.
    ///
    /// # Errors
    ///
    /// [`Refusal::Failed`] if the storage does not answer.
    pub async fn passkeys(&self, client: &EncryptionContext) -> Result<Vec<HeldPasskey>, Refusal> {
        let account = self.account(client).await?;
        let held = account.passkeys.iter().map(|known| HeldPasskey {
            id: known.id.clone(),
            name: known.name.clone(),
            added_at: known.added_at,
            keys: account.held_by(&known.id).map(|stored| stored.id.clone()).collect(),
        });
        Ok(held.collect())
    }

    /// The names of the client's keys, in the order in which they were written.
    ///
    /// # Errors
    ///
    /// [`Refusal::Failed`] if the storage does not answer.
    pub async fn keys(&self, client: &EncryptionContext) -> Result<Vec<HeldKey>, Refusal> {
        let account = self.account(client).await?;
        let held = account.keys.into_iter();
        Ok(held.map(|stored| HeldKey { id: stored.id, written_at: stored.written_at }).collect())
    }

    async fn account(&self, client: &EncryptionContext) -> Result<Account, Refusal> {
        Ok(Account::decode(&self.store.load(client).await?.record)?)
    }
}
