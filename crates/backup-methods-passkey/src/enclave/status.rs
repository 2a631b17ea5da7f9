//! What a client may know without a ceremony.

use backup_core::EncryptionContext;

use super::{Refusal, account::Account, run::Enclave};
use crate::{HeldKey, HeldPasskey, Status};

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
