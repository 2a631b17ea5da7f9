//! Beginning a ceremony: what the browser is handed.

use std::fmt;

use backup_core::{EncryptionContext, Error, ErrorKind, async_trait};
use serde::Deserialize;
use serde_json::Value;
use webauthn_rs::prelude::{Passkey, Uuid};

use super::{
    Action, KeyId, Refusal,
    account::{Account, Intent, Known, MAX_PASSKEYS, Stage},
    asserted::expect_relying_party,
    run::{Enclave, Request, Step},
};
use crate::{CredentialId, ceremony::random_bytes};

/// To begin to register a passkey.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BeginRegistration {
    /// The id of the relying party: that of the enclave.
    pub relying_party: String,
    /// How the user calls the passkey; the client's id if there is none.
    #[serde(default)]
    pub name: Option<String>,
}

/// To begin to ask a passkey.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BeginLogin {
    /// The id of the relying party: that of the enclave.
    pub relying_party: String,
    /// What the passkey is to confirm; to read or to write a key if there is none.
    #[serde(default)]
    pub purpose: Option<Purpose>,
    /// The key that it is about: only passkeys that have it are asked.
    #[serde(default)]
    pub key_id: Option<KeyId>,
    /// The passkey that it is about.
    #[serde(default)]
    pub passkey_id: Option<CredentialId>,
    /// The new name of that passkey.
    #[serde(default)]
    pub name: Option<String>,
}

/// What a passkey is to confirm besides reading and writing.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Purpose {
    /// To delete the key of `keyId`, for all passkeys.
    Delete,
    /// To give the passkey of `passkeyId` all keys that the confirming one has.
    Grant,
    /// To give the passkey of `passkeyId` a new `name`.
    Rename,
    /// To remove the passkey of `passkeyId`.
    Remove,
}

/// A ceremony that was begun. It is good for one answer within five minutes.
#[derive(Clone)]
#[non_exhaustive]
pub struct Begun {
    /// `{"publicKey": …}`, for the browser.
    pub options: Value,
    /// Names the ceremony when it is finished.
    pub session_id: String,
}

impl BeginRegistration {
    /// To register a passkey with this relying party.
    #[must_use]
    pub fn new(relying_party: impl Into<String>) -> Self {
        Self { relying_party: relying_party.into(), name: None }
    }
}

impl BeginLogin {
    /// To read or to write a key.
    #[must_use]
    pub fn new(relying_party: impl Into<String>) -> Self {
        let relying_party = relying_party.into();
        Self { relying_party, purpose: None, key_id: None, passkey_id: None, name: None }
    }

    fn intent(&self, account: &Account) -> Result<Intent, Refusal> {
        if self.key_id.as_ref().is_some_and(|id| account.stored(id).is_none()) {
            return Err(Refusal::NotFound("key"));
        }
        Ok(match self.purpose {
            None => Intent::Use,
            Some(Purpose::Delete) => {
                Intent::Delete(self.key_id.clone().ok_or(Refusal::Malformed("name a keyId"))?)
            }
            Some(Purpose::Grant) => Intent::Grant(self.passkey(account)?),
            Some(Purpose::Rename) => Intent::Rename(self.passkey(account)?, self.new_name()?),
            Some(Purpose::Remove) => Intent::Remove(self.passkey(account)?),
        })
    }

    fn passkey(&self, account: &Account) -> Result<CredentialId, Refusal> {
        let id = self.passkey_id.as_ref().ok_or(Refusal::Malformed("name a passkeyId"))?;
        account.known(id).map(|known| known.id.clone()).ok_or(Refusal::NotFound("passkey"))
    }

    fn new_name(&self) -> Result<String, Refusal> {
        checked(self.name.as_deref().ok_or(Refusal::Malformed("choose a name"))?)
    }

    /// The passkeys that could confirm it.
    fn asked(&self, account: &Account, intent: &Intent) -> Vec<Passkey> {
        let has_key = |known: &Known| {
            let mut held = account.held_by(&known.id);
            self.key_id.as_ref().is_none_or(|id| held.any(|stored| stored.id == *id))
        };
        let may = |known: &Known| match intent {
            Intent::Use | Intent::Delete(_) => has_key(known),
            Intent::Grant(to) => known.id != *to && account.held_by(&known.id).next().is_some(),
            Intent::Rename(other, _) | Intent::Remove(other) => {
                account.may_change(&known.id, other)
            }
        };
        let asked = account.passkeys.iter().filter(|known| may(known));
        asked.map(|known| known.passkey.clone()).collect()
    }
}

#[async_trait]
impl Request for BeginRegistration {
    const ACTION: Action = Action::BeginRegistration;
    type Answer = Begun;

    async fn decide(
        &self,
        enclave: &Enclave,
        client: &EncryptionContext,
        account: &mut Account,
        step: &mut Step,
    ) -> Result<Begun, Refusal> {
        expect_relying_party(&enclave.config, &self.relying_party)?;
        if account.passkeys.len() >= MAX_PASSKEYS {
            return Err(Refusal::LimitReached("remove a passkey first"));
        }
        let name = self.name.as_deref().map(checked).transpose()?;
        let name = name.unwrap_or_else(|| client.client.as_str().to_owned());
        // Random for each passkey: with the same one an authenticator would put the new passkey
        // in the place of the earlier one.
        let handle = Uuid::from_slice(&random_bytes()?[..16]).expect("16 bytes are a UUID");
        let (options, state) = enclave
            .config
            .webauthn
            .start_passkey_registration(handle, &name, &name, None)
            .map_err(failed)?;
        let mut options = serde_json::to_value(options).expect("options are JSON");
        // Some platforms synchronize discoverable passkeys only.
        options["publicKey"]["authenticatorSelection"]["residentKey"] = "preferred".into();
        let session_id = account.begin(step.now(), Stage::Registration { state, name })?;
        Ok(Begun { options, session_id })
    }
}

#[async_trait]
impl Request for BeginLogin {
    const ACTION: Action = Action::BeginLogin;
    type Answer = Begun;

    async fn decide(
        &self,
        enclave: &Enclave,
        _: &EncryptionContext,
        account: &mut Account,
        step: &mut Step,
    ) -> Result<Begun, Refusal> {
        expect_relying_party(&enclave.config, &self.relying_party)?;
        account.expect_attempts_left(step.now())?;
        if account.passkeys.is_empty() {
            return Err(Refusal::NotRegistered);
        }
        if let Some(key) = &self.key_id {
            step.is_about(key);
        }
        let intent = self.intent(account)?;
        let asked = self.asked(account, &intent);
        if asked.is_empty() {
            return Err(Refusal::NotAllowed);
        }
        let (options, state) =
            enclave.config.webauthn.start_passkey_authentication(&asked).map_err(failed)?;
        let session_id = account.begin(step.now(), Stage::Login { state, intent })?;
        let options = serde_json::to_value(options).expect("options are JSON");
        Ok(Begun { options, session_id })
    }
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("options", &self.options).finish_non_exhaustive()
    }
}

/// What users call a passkey: shown to them again, so without control characters.
fn checked(name: &str) -> Result<String, Refusal> {
    let fits = (1..=MAX_NAME_LEN).contains(&name.len()) && !name.chars().any(char::is_control);
    let wrong = Refusal::Malformed("a name has 1 to 64 bytes, and no control characters");
    if fits { Ok(name.to_owned()) } else { Err(wrong) }
}

/// What authenticators keep of a name at least: CTAP 2.1, section 6.1.2.
const MAX_NAME_LEN: usize = 64;

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Refusal {
    let message = "the ceremony cannot be begun with what is stored";
    Refusal::Failed(Error::new(ErrorKind::Damaged, message).with_source(error))
}
