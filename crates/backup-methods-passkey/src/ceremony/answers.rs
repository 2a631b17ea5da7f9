//! What the two ceremonies answer.

use std::fmt;

use backup_core::secrecy::{ExposeSecret, ExposeSecretMut, SecretBox};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Deserializer};

use super::CeremonyError;
use crate::{CredentialId, base64url};

/// A new passkey.
#[derive(Clone, Debug)]
pub struct Created {
    /// Its id.
    pub id: CredentialId,
    /// What the client says it did, as bytes of JSON.
    pub client_data_json: Vec<u8>,
    /// What the authenticator made: the public key, for an enclave.
    pub attestation_object: Vec<u8>,
    /// Whether it has a PRF: `prf.enabled` of the extension's results.
    pub prf_enabled: bool,
}

/// What a passkey answered.
#[derive(Debug)]
pub struct Assertion {
    /// Which one.
    pub id: CredentialId,
    /// What the client says it did, as bytes of JSON.
    pub client_data_json: Vec<u8>,
    /// What the authenticator says it did.
    pub authenticator_data: Vec<u8>,
    /// Its signature over both, for an enclave.
    pub signature: Vec<u8>,
    /// Whom it was made for, if the authenticator says so.
    pub user_handle: Option<Vec<u8>>,
    /// What its PRF makes of the input, `prf.results.first` of the extension's results, if it has
    /// a PRF.
    pub prf: Option<PrfOutput>,
}

/// What a passkey's PRF makes of one input: a secret, wiped when it is dropped.
pub struct PrfOutput(SecretBox<[u8; 32]>);

impl PrfOutput {
    /// Takes the bytes from where the platform put them. The caller wipes what it holds.
    #[must_use]
    pub fn copied_from(bytes: &[u8; 32]) -> Self {
        let mut output = SecretBox::new(Box::new([0; 32]));
        output.expose_secret_mut().copy_from_slice(bytes);
        Self(output)
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    fn parse(text: &str) -> Option<Self> {
        let mut output = SecretBox::new(Box::new([0; 32]));
        let decoded = Base64UrlUnpadded::decode(text, output.expose_secret_mut()).ok()?;
        (decoded.len() == 32).then_some(())?;
        Some(Self(output))
    }
}

impl fmt::Debug for PrfOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrfOutput([REDACTED])")
    }
}

impl<'de> Deserialize<'de> for PrfOutput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(base64url::Text(Self::parse))
    }
}

impl Created {
    /// Reads `RegistrationResponseJSON`, as `credential.toJSON()` makes it.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Failed`] if it is none.
    pub fn from_json(json: &str) -> Result<Self, CeremonyError> {
        let read: Registration = serde_json::from_str(json).map_err(malformed)?;
        Ok(Self {
            id: read.id,
            client_data_json: read.response.client_data_json,
            attestation_object: read.response.attestation_object,
            prf_enabled: read.extensions.prf.is_some_and(|prf| prf.enabled),
        })
    }
}

impl Assertion {
    /// Reads `AuthenticationResponseJSON`, as `credential.toJSON()` makes it.
    ///
    /// # Security
    ///
    /// `json` holds the output of the PRF: wipe it, and send it nowhere.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Failed`] if it is none.
    pub fn from_json(json: &str) -> Result<Self, CeremonyError> {
        let read: Authentication = serde_json::from_str(json).map_err(malformed)?;
        Ok(Self {
            id: read.id,
            client_data_json: read.response.client_data_json,
            authenticator_data: read.response.authenticator_data,
            signature: read.response.signature,
            user_handle: read.response.user_handle.map(|UserHandle(bytes)| bytes),
            prf: read.extensions.prf.and_then(|prf| prf.results).map(|results| results.first),
        })
    }
}

/// WebAuthn's JSON grows: members that this does not know are left alone.
#[derive(Deserialize)]
struct Registration {
    id: CredentialId,
    response: AttestationResponse,
    #[serde(default, rename = "clientExtensionResults")]
    extensions: Extensions,
}

#[derive(Deserialize)]
struct AttestationResponse {
    #[serde(rename = "clientDataJSON", deserialize_with = "base64url::deserialize")]
    client_data_json: Vec<u8>,
    #[serde(rename = "attestationObject", deserialize_with = "base64url::deserialize")]
    attestation_object: Vec<u8>,
}

#[derive(Deserialize)]
struct Authentication {
    id: CredentialId,
    response: AssertionResponse,
    #[serde(default, rename = "clientExtensionResults")]
    extensions: Extensions,
}

#[derive(Deserialize)]
struct AssertionResponse {
    #[serde(rename = "clientDataJSON", deserialize_with = "base64url::deserialize")]
    client_data_json: Vec<u8>,
    #[serde(rename = "authenticatorData", deserialize_with = "base64url::deserialize")]
    authenticator_data: Vec<u8>,
    #[serde(deserialize_with = "base64url::deserialize")]
    signature: Vec<u8>,
    #[serde(rename = "userHandle")]
    user_handle: Option<UserHandle>,
}

#[derive(Deserialize)]
struct UserHandle(#[serde(deserialize_with = "base64url::deserialize")] Vec<u8>);

#[derive(Default, Deserialize)]
struct Extensions {
    prf: Option<Prf>,
}

#[derive(Deserialize)]
struct Prf {
    #[serde(default)]
    enabled: bool,
    results: Option<PrfResults>,
}

#[derive(Deserialize)]
struct PrfResults {
    first: PrfOutput,
}

/// Names the place, and nothing of what stands there.
#[expect(clippy::needless_pass_by_value, reason = "the signature of `map_err`")]
fn malformed(error: serde_json::Error) -> CeremonyError {
    let (line, column) = (error.line(), error.column());
    let text = format!("the answer of the passkey is malformed at line {line}, column {column}");
    CeremonyError::Failed(text.into())
}
