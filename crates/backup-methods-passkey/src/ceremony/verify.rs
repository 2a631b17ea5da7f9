//! Whether an answer is one to the question that was asked.
//!
//! No signature is checked. It would prove to a server that a passkey was there; here the output of
//! the PRF proves it, by its check value. What is checked keeps the output from being one that
//! cannot be had again: of another passkey, another ceremony, or without the user verified.

use backup_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Assertion, CeremonyError, CreateOptions, Created, GetOptions};
use crate::base64url;

/// Whether `created` answers `options`.
pub(crate) fn verify_created(created: &Created, options: &CreateOptions) -> Result<()> {
    verify_client_data(&created.client_data_json, "webauthn.create", &options.challenge)
}

/// Whether `assertion` answers `options`: by one of its passkeys, with the user verified.
pub(crate) fn verify_assertion(assertion: &Assertion, options: &GetOptions) -> Result<()> {
    if !options.allow.contains(&assertion.id) {
        return Err(CeremonyError::WrongPasskey.into());
    }
    verify_client_data(&assertion.client_data_json, "webauthn.get", &options.challenge)?;
    let (relying_party, flags) = split(&assertion.authenticator_data)
        .ok_or_else(|| damaged("the answer of the passkey is cut short; try again"))?;
    if relying_party != &Sha256::digest(&options.relying_party_id)[..] {
        return Err(damaged("the passkey answered another relying party; try again"));
    }
    if flags & USER_VERIFIED == 0 {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "the passkey does not check who uses it; set up a PIN, a fingerprint or a face for \
             it, or choose another backup method",
        ));
    }
    Ok(())
}

fn verify_client_data(json: &[u8], expected: &str, challenge: &[u8]) -> Result<()> {
    let data: ClientData = serde_json::from_slice(json)
        .map_err(|_| damaged("the answer of the passkey has no client data; try again"))?;
    if data.ceremony != expected || data.challenge != challenge {
        return Err(damaged("the answer of the passkey belongs to another ceremony; try again"));
    }
    Ok(())
}

/// The hash of the relying party's id, and the flags: WebAuthn Level 3, section 6.1.
fn split(authenticator_data: &[u8]) -> Option<(&[u8], u8)> {
    let (relying_party, rest) = authenticator_data.split_at_checked(32)?;
    let (flags, _counter) = rest.split_first().filter(|(_, rest)| rest.len() >= 4)?;
    Some((relying_party, *flags))
}

#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    ceremony: String,
    #[serde(deserialize_with = "base64url::deserialize")]
    challenge: Vec<u8>,
}

const USER_VERIFIED: u8 = 1 << 2;

fn damaged(message: &'static str) -> Error {
    Error::new(ErrorKind::Damaged, message)
}
