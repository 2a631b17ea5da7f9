//! Whether an assertion holds: WebAuthn Level 3, section 7.2.

use webauthn_rs::prelude::{PasskeyAuthentication, PublicKeyCredential};

use super::{
    Refusal,
    account::{Account, Intent, Stage},
    answer,
    config::EnclaveConfig,
};
use crate::CredentialId;

/// An answer to a ceremony that was begun.
pub(super) struct Answered<'a> {
    pub(super) relying_party: &'a str,
    pub(super) session_id: &'a str,
    pub(super) json: &'a str,
}

/// The passkey that confirmed, and what. The ceremony is over by this, in the account given.
pub(super) fn verify(
    config: &EnclaveConfig,
    account: &mut Account,
    answered: &Answered<'_>,
    now: u64,
) -> Result<(CredentialId, Intent), Refusal> {
    expect_relying_party(config, answered.relying_party)?;
    account.expect_attempts_left(now)?;
    let assertion = answer::parse(answered.json)?;
    let Stage::Login { state, intent } = account.take(now, answered.session_id)? else {
        return Err(Refusal::UnknownCeremony);
    };
    let passkey = verify_and_update(config, account, &assertion, &state)?;
    Ok((passkey, intent))
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
