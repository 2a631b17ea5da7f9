//! What a passkey confirms besides reading and writing: as it was said when the ceremony began.

use std::fmt;

use backup_core::{EncryptionContext, async_trait};
use serde::Deserialize;

use super::{
    Action, KeyId, Purpose, Refusal,
    account::{Account, Intent},
    asserted::Answered,
    run::{Enclave, Request, Step},
    write::expect_room,
};
use crate::CredentialId;

/// The assertion of the passkey that confirms.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Confirmation {
    /// The id of the relying party: that of the enclave.
    pub relying_party: String,
    /// The ceremony.
    pub session_id: String,
    /// `AuthenticationResponseJSON` of WebAuthn, as text.
    pub assertion: String,
}

/// A confirmation, and what it is of: the purpose that the ceremony was begun for.
#[derive(Clone, Debug)]
pub struct Confirm {
    purpose: Purpose,
    confirmation: Confirmation,
}

impl Confirmation {
    /// An assertion for the ceremony of this session.
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
        }
    }

    /// As a confirmation of `purpose`.
    #[must_use]
    pub fn of(self, purpose: Purpose) -> Confirm {
        Confirm { purpose, confirmation: self }
    }
}

#[async_trait]
impl Request for Confirm {
    const ACTION: Action = Action::Confirm;
    type Answer = ();

    async fn decide(
        &self,
        enclave: &Enclave,
        client: &EncryptionContext,
        account: &mut Account,
        step: &mut Step,
    ) -> Result<(), Refusal> {
        let Self { purpose, confirmation: Confirmation { relying_party, session_id, assertion } } =
            self;
        let answered = Answered::new(relying_party, session_id, assertion);
        let (passkey, intent) = answered.verify(enclave, account, step)?;
        match (purpose, intent) {
            (Purpose::Delete, Intent::Delete(key)) => delete(account, step, &passkey, &key),
            (Purpose::Grant, Intent::Grant(to)) => {
                grant(enclave, client, account, step, (&passkey, &to)).await
            }
            (Purpose::Rename, Intent::Rename(other, name)) => {
                rename(account, &passkey, &other, name)
            }
            (Purpose::Remove, Intent::Remove(other)) => remove(account, step, &passkey, &other),
            _ => Err(Refusal::UnknownCeremony),
        }
    }
}

/// A key that is gone already is no error.
fn delete(
    account: &mut Account,
    step: &mut Step,
    passkey: &CredentialId,
    key: &KeyId,
) -> Result<(), Refusal> {
    step.is_about(key);
    let Some(stored) = account.stored(key) else { return Ok(()) };
    if !stored.holders.contains(passkey) {
        return Err(Refusal::NotAllowed);
    }
    account.keys.retain(|stored| stored.id != *key);
    step.change.removed_key = Some(key.clone());
    Ok(())
}

async fn grant(
    enclave: &Enclave,
    client: &EncryptionContext,
    account: &mut Account,
    step: &mut Step,
    (from, to): (&CredentialId, &CredentialId),
) -> Result<(), Refusal> {
    let giver = account.known(from).ok_or(Refusal::NotVerified)?.clone();
    let taker = account.known(to).ok_or(Refusal::NotFound("passkey"))?.clone();
    let lacks = |id: &KeyId| account.stored(id).is_some_and(|key| !key.holders.contains(to));
    let keys: Vec<_> = account.held_by(from).map(|stored| stored.id.clone()).collect();
    for id in keys.into_iter().filter(lacks).collect::<Vec<_>>() {
        expect_room(account, to)?;
        let key = enclave.open(client, &id, &giver).await?;
        step.change.sealed.push(enclave.seal(client, &id, &taker, &key).await?);
        account.stored_mut(&id).ok_or(Refusal::NotFound("key"))?.holders.push(to.clone());
    }
    Ok(())
}

fn rename(
    account: &mut Account,
    passkey: &CredentialId,
    other: &CredentialId,
    name: String,
) -> Result<(), Refusal> {
    if !account.may_change(passkey, other) {
        return Err(Refusal::NotAllowed);
    }
    account.known_mut(other).ok_or(Refusal::NotFound("passkey"))?.name = name;
    Ok(())
}

/// A passkey that is gone already is no error. No key loses its last passkey by this.
fn remove(
    account: &mut Account,
    step: &mut Step,
    passkey: &CredentialId,
    other: &CredentialId,
) -> Result<(), Refusal> {
    if account.known(other).is_none() {
        return Ok(());
    }
    if !account.may_change(passkey, other) {
        return Err(Refusal::NotAllowed);
    }
    if account.held_by(other).any(|stored| stored.holders.len() == 1) {
        return Err(Refusal::LastHolder);
    }
    for stored in &mut account.keys {
        stored.holders.retain(|holder| holder != other);
    }
    account.passkeys.retain(|known| known.id != *other);
    step.change.removed_passkey = Some(other.clone());
    Ok(())
}

impl fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmation")
            .field("relying_party", &self.relying_party)
            .finish_non_exhaustive()
    }
}
