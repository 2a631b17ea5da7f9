//! What a passkey answered, as an enclave reads it: WebAuthn's JSON, and no output of a PRF.

use serde_json::json;

use crate::{Assertion, Created, base64url::encode};

/// `RegistrationResponseJSON`.
pub(super) fn attestation(created: &Created) -> String {
    json!({
        "id": created.id,
        "rawId": created.id,
        "type": "public-key",
        "clientExtensionResults": {},
        "response": {
            "clientDataJSON": encode(&created.client_data_json),
            "attestationObject": encode(&created.attestation_object),
        },
    })
    .to_string()
}

/// `AuthenticationResponseJSON`.
pub(super) fn assertion(assertion: &Assertion) -> String {
    json!({
        "id": assertion.id,
        "rawId": assertion.id,
        "type": "public-key",
        "clientExtensionResults": {},
        "response": {
            "clientDataJSON": encode(&assertion.client_data_json),
            "authenticatorData": encode(&assertion.authenticator_data),
            "signature": encode(&assertion.signature),
            "userHandle": assertion.user_handle.as_deref().map(encode),
        },
    })
    .to_string()
}
