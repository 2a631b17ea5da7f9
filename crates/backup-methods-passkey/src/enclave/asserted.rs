//! Whether an assertion holds: WebAuthn Level 3, section 7.2.

use webauthn_rs::prelude::{PasskeyAuthentication, PublicKeyCredential};

use super::{
    Refusal,
    account::{Account, Intent, Stage},
    answer,
    config::EnclaveConfig,
    run::{Enclave, Step},
};
use crate::CredentialId;

/// An answer to a ceremony that was begun.
#[derive(Clone, Copy)]
pub(super) struct Answered<'a> {
    relying_party: &'a str,
    session_id: &'a str,
    assertion: &'a str,
}

impl<'a> Answered<'a> {
    pub(super) fn new(relying_party: &'a str, session_id: &'a str, assertion: &'a str) -> Self {
        Self { relying_party, session_id, assertion }
    }

    /// The passkey that confirmed, and what. The ceremony is over by this, in the account given.
    pub(super) fn verify(
        self,
        enclave: &Enclave,
        account: &mut Account,
        step: &mut Step,
    ) -> Result<(CredentialId, Intent), Refusal> {
        expect_relying_party(&enclave.config, self.relying_party)?;
        account.expect_attempts_left(step.now())?;
        let assertion = answer::parse(self.assertion)?;
        let Stage::Login { state, intent } = account.take(step.now(), self.session_id)? else {
            return Err(Refusal::UnknownCeremony);
        };
        let passkey = verify_and_update(&enclave.config, account, &assertion, &state)?;
        step.is_by(&passkey);
        Ok((passkey, intent))
    }

    /// The passkey that confirmed, if it was asked to read or to write a key.
    pub(super) fn verify_for_use(
        self,
        enclave: &Enclave,
        account: &mut Account,
        step: &mut Step,
    ) -> Result<CredentialId, Refusal> {
        match self.verify(enclave, account, step)? {
            (passkey, Intent::Use) => Ok(passkey),
            _ => Err(Refusal::UnknownCeremony),
        }
    }
}

pub(super) fn expect_relying_party(config: &EnclaveConfig, id: &str) -> Result<(), Refusal> {
    let is_ours = id == config.relying_party.id();
    if is_ours { Ok(()) } else { Err(Refusal::ForeignRelyingParty) }
}

/// The counter is compared once more with the highest that was ever shown: the state is as old as
/// the ceremony, and another one may have ended since.
fn verify_and_update(
    config: &EnclaveConfig,
    account: &mut Account,
    assertion: &PublicKeyCredential,
    state: &PasskeyAuthentication,
) -> Result<CredentialId, Refusal> {
    let result = config
        .webauthn
        .finish_passkey_authentication(assertion, state)
        .map_err(|_| Refusal::NotVerified)?;
    let id = CredentialId::new(result.cred_id().clone())?;
    let known = account.known_mut(&id).ok_or(Refusal::NotVerified)?;
    let counts = result.counter() > 0 || known.counter > 0;
    if !result.user_verified() || counts && result.counter() <= known.counter {
        return Err(Refusal::NotVerified);
    }
    known.counter = result.counter();
    known.passkey.update_credential(&result);
    Ok(id)
}
