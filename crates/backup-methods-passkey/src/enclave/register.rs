//! Registering a passkey: WebAuthn Level 3, section 7.1.

use std::fmt;

use backup_core::{EncryptionContext, EncryptionKey, async_trait};
use serde::Deserialize;

use super::{
    Action, KeyId, Refusal,
    account::{Account, Known, Stage},
    answer,
    asserted::expect_relying_party,
    key_text,
    run::{Enclave, Request, Step},
    write::write_new,
};
use crate::CredentialId;

/// What a new passkey answered, and perhaps a key that it writes at once.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FinishRegistration {
    /// The id of the relying party: that of the enclave.
    pub relying_party: String,
    /// The ceremony.
    pub session_id: String,
    /// `RegistrationResponseJSON` of WebAuthn, as text.
    pub attestation: String,
    /// A key for this passkey alone.
    #[serde(default)]
    pub encryption_key: Option<KeyInBody>,
    /// The name of that key; one that nothing has yet, or none.
    #[serde(default)]
    pub key_id: Option<KeyId>,
}

/// A key, as it stands in a body.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct KeyInBody(#[serde(deserialize_with = "key_text::deserialize")] pub EncryptionKey);

/// A passkey that was registered.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Registered {
    /// Its id.
    pub passkey: CredentialId,
    /// The key that it wrote.
    pub key: Option<KeyId>,
}

impl FinishRegistration {
    /// A passkey without a key.
    #[must_use]
    pub fn new(
        relying_party: impl Into<String>,
        session_id: impl Into<String>,
        attestation: impl Into<String>,
    ) -> Self {
        Self {
            relying_party: relying_party.into(),
            session_id: session_id.into(),
            attestation: attestation.into(),
            encryption_key: None,
            key_id: None,
        }
    }
}

#[async_trait]
impl Request for FinishRegistration {
    const ACTION: Action = Action::FinishRegistration;
    type Answer = Registered;

    async fn decide(
        &self,
        enclave: &Enclave,
        client: &EncryptionContext,
        account: &mut Account,
        step: &mut Step,
    ) -> Result<Registered, Refusal> {
        expect_relying_party(&enclave.config, &self.relying_party)?;
        account.expect_attempts_left(step.now())?;
        let attestation = answer::parse(&self.attestation)?;
        let Stage::Registration { state, name } = account.take(step.now(), &self.session_id)?
        else {
            return Err(Refusal::UnknownCeremony);
        };
        let passkey = enclave
            .config
            .webauthn
            .finish_passkey_registration(&attestation, &state)
            .map_err(|_| Refusal::NotVerified)?;
        let id = CredentialId::new(passkey.cred_id().clone())?;
        step.is_by(&id);
        let known = Known { id: id.clone(), name, added_at: step.now(), counter: 0, passkey };
        account.passkeys.push(known);
        step.change.new_passkey = Some(id.clone());
        let key = match &self.encryption_key {
            Some(KeyInBody(key)) => {
                let named = self.key_id.as_ref();
                Some(write_new(enclave, client, account, step, (&id, named, key)).await?)
            }
            None => None,
        };
        Ok(Registered { passkey: id, key })
    }
}

impl fmt::Debug for FinishRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FinishRegistration")
            .field("relying_party", &self.relying_party)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
