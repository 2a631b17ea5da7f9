//! What the routes of the passkey enclave are asked for.

use portal_api::route::Route;
use portal_tests::middle::Asked;
use serde_json::json;

/// A request that is right but for the relying party, perhaps, and for the ceremony that it ends:
/// there is none of that name.
pub(crate) fn asked(route: Route, relying_party: &str) -> Asked {
    let response = match route {
        Route::FinishRegistration => {
            json!({ "attestationObject": "AAAA", "clientDataJSON": "AAAA" })
        }
        _ => {
            json!({ "authenticatorData": "AAAA", "clientDataJSON": "AAAA", "signature": "AAAA" })
        }
    };
    let answer = json!({
        "id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": response,
        "clientExtensionResults": {},
    });
    let mut body = json!({
        "relyingParty": relying_party,
        "sessionId": "none",
        "assertion": answer.to_string(),
        "attestation": answer.to_string(),
    });
    if route == Route::WriteKey {
        body["encryptionKey"] = "ab".repeat(32).into();
    }
    Asked::json(route.path(), &body)
}
