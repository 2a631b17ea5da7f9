//! Releasing a key.

use std::fmt;

use backup_core::{EncryptionContext, EncryptionKey, async_trait};
use serde::Deserialize;

use super::{
    Action, KeyId, Refusal,
    account::Account,
    asserted::Answered,
    run::{Enclave, Request, Step},
};
use crate::CredentialId;

/// The assertion of the passkey that a key is to be released to.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Read {
    /// The id of the relying party: that of the enclave.
    pub relying_party: String,
    /// The ceremony.
    pub session_id: String,
    /// `AuthenticationResponseJSON` of WebAuthn, as text.
    pub assertion: String,
    /// The key's name; that of the completed backup if there is none.
    #[serde(default)]
    pub key_id: Option<KeyId>,
}

/// A key for the passkey that asked.
#[derive(Debug)]
#[non_exhaustive]
pub struct Released {
    /// Its name.
    pub id: KeyId,
    /// The key.
    pub key: EncryptionKey,
}

impl Read {
    /// The key of the completed backup.
    #[must_use]
    pub fn new(
        relying_party: impl Into<String>,
        session_id: impl Into<String>,
        assertion: impl Into<String>,
    ) -> Self {
        Self {
            relying_party: relying_party.into(),
            session_id: session_id.into(),
            assertion: assertion.into(),
            key_id: None,
        }
    }

    /// The key of this name.
    #[must_use]
    pub fn named(self, key_id: KeyId) -> Self {
        Self { key_id: Some(key_id), ..self }
    }
}

#[async_trait]
impl Request for Read {
    const ACTION: Action = Action::Read;
    type Answer = Released;

    async fn decide(
        &self,
        enclave: &Enclave,
        client: &EncryptionContext,
        account: &mut Account,
        step: &mut Step,
    ) -> Result<Released, Refusal> {
        let answered = Answered::new(&self.relying_party, &self.session_id, &self.assertion);
        let passkey = answered.verify_for_use(enclave, account, step)?;
        let id = match &self.key_id {
            Some(id) => id.clone(),
            None => of_completed_backup(enclave, client, account, &passkey).await?,
        };
        step.is_about(&id);
        let stored = account.stored(&id).ok_or(Refusal::NotFound("key"))?;
        if !stored.holders.contains(&passkey) {
            return Err(Refusal::NotAllowed);
        }
        let known = account.known(&passkey).ok_or(Refusal::NotVerified)?;
        let key = enclave.open(client, &id, known).await?;
        Ok(Released { id, key })
    }
}

/// Never simply the last one that was written: its backup may have been broken off.
async fn of_completed_backup(
    enclave: &Enclave,
    client: &EncryptionContext,
    account: &Account,
    passkey: &CredentialId,
) -> Result<KeyId, Refusal> {
    let completed = enclave.backups.completed(client).await?;
    let of_backup =
        completed.iter().find_map(|id| account.held_by(passkey).find(|stored| stored.is_of(id)));
    if let Some(stored) = of_backup {
        return Ok(stored.id.clone());
    }
    let mut held = account.held_by(passkey);
    match (held.next(), held.next()) {
        (Some(only), None) => Ok(only.id.clone()),
        (Some(_), Some(_)) => Err(Refusal::Ambiguous),
        (None, _) => Err(Refusal::NotFound("key")),
    }
}

impl fmt::Debug for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Read")
            .field("relying_party", &self.relying_party)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
