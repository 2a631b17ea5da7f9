//! What an enclave asks a passkey, as far as it may: a service does not choose for whom.

use backup_core::Result;
use serde::Deserialize;

use super::{EnclaveProblem, http::unreadable};
use crate::{
    CreateOptions, CredentialId, GetOptions, RelyingParty, User, base64url,
    ceremony::{ALGORITHMS, TIMEOUT},
};

/// A ceremony that the enclave began.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Begun<T> {
    options: PublicKey<T>,
    pub(super) session_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublicKey<T> {
    public_key: T,
}

/// `PublicKeyCredentialCreationOptionsJSON`, as far as it is the enclave's to say.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Creation {
    rp: Party,
    user: Account,
    #[serde(deserialize_with = "base64url::deserialize")]
    challenge: Vec<u8>,
    #[serde(default)]
    pub_key_cred_params: Vec<Algorithm>,
}

#[derive(Deserialize)]
struct Party {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    #[serde(deserialize_with = "base64url::deserialize")]
    id: Vec<u8>,
    name: String,
    display_name: String,
}

#[derive(Deserialize)]
struct Algorithm {
    alg: i32,
}

/// `PublicKeyCredentialRequestOptionsJSON`, as far as it is the enclave's to say.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Login {
    rp_id: String,
    #[serde(deserialize_with = "base64url::deserialize")]
    challenge: Vec<u8>,
    allow_credentials: Vec<Allowed>,
}

#[derive(Deserialize)]
struct Allowed {
    id: CredentialId,
}

impl Begun<Creation> {
    /// What the passkey is asked: always for `relying_party`, with its name as the app has it.
    pub(super) fn options(&self, relying_party: &RelyingParty) -> Result<CreateOptions> {
        let Creation { rp, user, challenge, pub_key_cred_params } = &self.options.public_key;
        expect(&rp.id, relying_party)?;
        let named = |alg: &i32| pub_key_cred_params.iter().any(|named| named.alg == *alg);
        let both =
            ALGORITHMS.into_iter().filter(|alg| pub_key_cred_params.is_empty() || named(alg));
        let Account { id, name, display_name } = user;
        Ok(CreateOptions {
            relying_party: relying_party.clone(),
            user: User {
                handle: id.clone(),
                name: name.clone(),
                display_name: display_name.clone(),
            },
            challenge: challenge.clone(),
            algorithms: both.collect(),
            discoverable: false,
            prf: false,
            timeout: TIMEOUT,
        })
    }
}

impl Begun<Login> {
    /// What the passkey is asked: always for `relying_party`, and never for its PRF.
    pub(super) fn options(&self, relying_party: &RelyingParty) -> Result<GetOptions> {
        let Login { rp_id, challenge, allow_credentials } = &self.options.public_key;
        expect(rp_id, relying_party)?;
        if allow_credentials.is_empty() {
            return Err(unreadable());
        }
        Ok(GetOptions {
            relying_party_id: rp_id.clone(),
            allow: allow_credentials.iter().map(|allowed| allowed.id.clone()).collect(),
            challenge: challenge.clone(),
            prf_input: None,
            timeout: TIMEOUT,
        })
    }
}

fn expect(id: &str, relying_party: &RelyingParty) -> Result<()> {
    if id == relying_party.id() { Ok(()) } else { Err(EnclaveProblem::ForeignRelyingParty.into()) }
}
