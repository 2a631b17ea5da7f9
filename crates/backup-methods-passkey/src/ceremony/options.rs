//! What the two ceremonies are asked to do.

use std::time::Duration;

use backup_core::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use crate::{CredentialId, RelyingParty, base64url};

/// What a new passkey is to be: `PublicKeyCredentialCreationOptions` of WebAuthn.
///
/// Besides these fields, every new passkey verifies its user and gives no attestation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreateOptions {
    /// Whose the passkey will be.
    pub relying_party: RelyingParty,
    /// Whom it will be for.
    pub user: User,
    /// Comes back in the answer.
    pub challenge: Vec<u8>,
    /// How it may sign, by COSE's numbers, the best first.
    pub algorithms: Vec<i32>,
    /// Whether it must be discoverable, and not only where that is possible.
    pub discoverable: bool,
    /// Whether it is to have a PRF.
    pub prf: bool,
    /// How long the user may take.
    pub timeout: Duration,
}

/// The account that a new passkey is for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct User {
    /// Tells accounts apart. An authenticator has one passkey of each, and a new one takes its
    /// place: so this is random for each passkey.
    pub handle: Vec<u8>,
    /// Which account it is, for the user: an e-mail address, a number.
    pub name: String,
    /// How the user is called.
    pub display_name: String,
}

/// Which passkey is to confirm: `PublicKeyCredentialRequestOptions` of WebAuthn.
///
/// Besides these fields, the user is always verified.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GetOptions {
    /// The domain that the passkey belongs to.
    pub relying_party_id: String,
    /// The passkeys of which one may answer. Never empty.
    pub allow: Vec<CredentialId>,
    /// Comes back in the answer.
    pub challenge: Vec<u8>,
    /// Input of the PRF, `eval.first`, if it is asked. Public.
    pub prf_input: Option<[u8; 32]>,
    /// How long the user may take.
    pub timeout: Duration,
}

impl CreateOptions {
    pub(crate) fn new(
        relying_party: &RelyingParty,
        name: &str,
        display_name: &str,
    ) -> Result<Self> {
        Ok(Self {
            relying_party: relying_party.clone(),
            user: User {
                handle: random_bytes()?.to_vec(),
                name: name.to_owned(),
                display_name: display_name.to_owned(),
            },
            challenge: random_bytes()?.to_vec(),
            algorithms: ALGORITHMS.to_vec(),
            discoverable: true,
            prf: true,
            timeout: TIMEOUT,
        })
    }

    /// `PublicKeyCredentialCreationOptionsJSON`, for `parseCreationOptionsFromJSON`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let User { handle, name, display_name } = &self.user;
        let algorithms =
            self.algorithms.iter().map(|alg| json!({ "type": "public-key", "alg": alg }));
        json!({
            "rp": { "id": self.relying_party.id(), "name": self.relying_party.name() },
            "user": {
                "id": base64url::encode(handle), "name": name, "displayName": display_name,
            },
            "challenge": base64url::encode(&self.challenge),
            "pubKeyCredParams": algorithms.collect::<Value>(),
            "timeout": milliseconds(self.timeout),
            "authenticatorSelection": {
                "residentKey": if self.discoverable { "required" } else { "preferred" },
                "requireResidentKey": self.discoverable,
                "userVerification": "required",
            },
            "attestation": "none",
            "extensions": if self.prf { json!({ "prf": {} }) } else { json!({}) },
        })
        .to_string()
    }
}

impl GetOptions {
    pub(crate) fn new(
        relying_party: &RelyingParty,
        allow: &[CredentialId],
        prf_input: [u8; 32],
    ) -> Result<Self> {
        Ok(Self {
            relying_party_id: relying_party.id().to_owned(),
            allow: allow.to_vec(),
            challenge: random_bytes()?.to_vec(),
            prf_input: Some(prf_input),
            timeout: TIMEOUT,
        })
    }

    /// `PublicKeyCredentialRequestOptionsJSON`, for `parseRequestOptionsFromJSON`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let allow = self.allow.iter().map(|id| json!({ "type": "public-key", "id": id }));
        let extensions = self.prf_input.map_or_else(
            || json!({}),
            |input| json!({ "prf": { "eval": { "first": base64url::encode(&input) } } }),
        );
        json!({
            "rpId": self.relying_party_id,
            "allowCredentials": allow.collect::<Value>(),
            "challenge": base64url::encode(&self.challenge),
            "timeout": milliseconds(self.timeout),
            "userVerification": "required",
            "extensions": extensions,
        })
        .to_string()
    }
}

/// Challenges, salts, user handles.
pub(crate) fn random_bytes() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(ErrorKind::Unavailable, "the operating system has no randomness to give")
            .with_source(error)
    })?;
    Ok(bytes)
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What WebAuthn Level 3 (section 15.1) recommends for ceremonies that verify the user.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// ES256, `EdDSA` and RS256, of the COSE registry: what authenticators have.
pub(crate) const ALGORITHMS: [i32; 3] = [-7, -8, -257];
