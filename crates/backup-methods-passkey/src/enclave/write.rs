//! Writing a key.

use std::fmt;

use backup_core::{EncryptionContext, EncryptionKey, async_trait};
use serde::Deserialize;

use super::{
    Action, KeyId, Refusal,
    account::{Account, MAX_KEYS, Stored},
    asserted::Answered,
    register::KeyInBody,
    run::{Enclave, Request, Step},
};
use crate::CredentialId;

/// A key, and the assertion of the passkey that writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Write {
    /// The id of the relying party: that of the enclave.
    pub relying_party: String,
    /// The ceremony.
    pub session_id: String,
    /// `AuthenticationResponseJSON` of WebAuthn, as text.
    pub assertion: String,
    /// The key.
    pub encryption_key: KeyInBody,
    /// Its name; one that nothing has yet, or none.
    #[serde(default)]
    pub key_id: Option<KeyId>,
}

/// A key that is durable.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Written {
    /// Its name.
    pub key: KeyId,
}

impl Write {
    /// `key` under a name that the enclave chooses.
    #[must_use]
    pub fn new(
        relying_party: impl Into<String>,
        session_id: impl Into<String>,
        assertion: impl Into<String>,
        key: EncryptionKey,
    ) -> Self {
        Self {
            relying_party: relying_party.into(),
            session_id: session_id.into(),
            assertion: assertion.into(),
            encryption_key: KeyInBody(key),
            key_id: None,
        }
    }

    /// Under this name.
    #[must_use]
    pub fn named(self, key_id: KeyId) -> Self {
        Self { key_id: Some(key_id), ..self }
    }
}

#[async_trait]
impl Request for Write {
    const ACTION: Action = Action::Write;
    type Answer = Written;

    async fn decide(
        &self,
        enclave: &Enclave,
        client: &EncryptionContext,
        account: &mut Account,
        step: &mut Step,
    ) -> Result<Written, Refusal> {
        let answered = Answered::new(&self.relying_party, &self.session_id, &self.assertion);
        let passkey = answered.verify_for_use(enclave, account, step)?;
        let KeyInBody(key) = &self.encryption_key;
        if let Some(id) = self.key_id.as_ref().filter(|id| account.stored(id).is_some()) {
            step.is_about(id);
            write_again(enclave, client, account, step, (&passkey, id, key)).await?;
            return Ok(Written { key: id.clone() });
        }
        let named = self.key_id.as_ref();
        let key = write_new(enclave, client, account, step, (&passkey, named, key)).await?;
        Ok(Written { key })
    }
}

/// A key that nothing has yet, for `passkey` alone.
pub(super) async fn write_new(
    enclave: &Enclave,
    client: &EncryptionContext,
    account: &mut Account,
    step: &mut Step,
    (passkey, named, key): (&CredentialId, Option<&KeyId>, &EncryptionKey),
) -> Result<KeyId, Refusal> {
    let id = named.map_or_else(KeyId::generate, |id| Ok(id.clone()))?;
    step.is_about(&id);
    if account.stored(&id).is_some() {
        return Err(Refusal::Conflict);
    }
    expect_room(account, passkey)?;
    let known = account.known(passkey).ok_or(Refusal::NotFound("passkey"))?;
    step.change.sealed.push(enclave.seal(client, &id, known, key).await?);
    let backup = enclave.backups.pending(client).await?.map(|id| id.as_str().to_owned());
    let (written_at, holders) = (step.now(), vec![passkey.clone()]);
    account.keys.push(Stored { id: id.clone(), written_at, backup, holders });
    Ok(id)
}

/// The same bytes under the same name are success, and by a passkey that lacks the key a grant:
/// whoever writes the key has it already.
async fn write_again(
    enclave: &Enclave,
    client: &EncryptionContext,
    account: &mut Account,
    step: &mut Step,
    (passkey, id, key): (&CredentialId, &KeyId, &EncryptionKey),
) -> Result<(), Refusal> {
    let stored = account.stored(id).ok_or(Refusal::NotFound("key"))?;
    let has_it = stored.holders.contains(passkey);
    let holder = if has_it { Some(passkey) } else { stored.holders.first() };
    let holder = holder.and_then(|id| account.known(id)).ok_or(Refusal::Conflict)?;
    if enclave.open(client, id, holder).await? != *key {
        return Err(Refusal::Conflict);
    }
    if !has_it {
        expect_room(account, passkey)?;
        let known = account.known(passkey).ok_or(Refusal::NotFound("passkey"))?;
        step.change.sealed.push(enclave.seal(client, id, known, key).await?);
        account.stored_mut(id).ok_or(Refusal::NotFound("key"))?.holders.push(passkey.clone());
    }
    Ok(())
}

pub(super) fn expect_room(account: &Account, passkey: &CredentialId) -> Result<(), Refusal> {
    if account.held_by(passkey).count() < MAX_KEYS {
        return Ok(());
    }
    Err(Refusal::LimitReached("delete a key of this passkey first"))
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write")
            .field("relying_party", &self.relying_party)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
