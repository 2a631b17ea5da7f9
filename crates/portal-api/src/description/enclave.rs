//! What the routes of the passkey enclave read and write.
//!
//! Their types are those of the method, which knows nothing of this crate: here is how they look.

use serde_json::{Value, json};

use crate::route::Route;

/// What a route of the enclave reads.
pub(super) fn body(route: Route) -> Value {
    let answered = [("relyingParty", relying_party()), ("sessionId", text())];
    let with = |name: &'static str, json: Value| -> Vec<(&str, Value)> {
        answered.iter().cloned().chain([(name, json)]).collect()
    };
    let assertion = text_of("`AuthenticationResponseJSON`");
    let attestation = text_of("`RegistrationResponseJSON`");
    match route {
        Route::BeginRegistration => {
            object(&[("relyingParty", relying_party())], &[("name", name())])
        }
        Route::FinishRegistration => object(
            &with("attestation", attestation),
            &[("encryptionKey", optional(&key())), ("keyId", optional(&key_id()))],
        ),
        Route::BeginLogin => object(
            &[("relyingParty", relying_party())],
            &[
                ("purpose", json!({ "enum": ["delete", "grant", "rename", "remove", null] })),
                ("keyId", optional(&key_id())),
                ("passkeyId", optional(&passkey_id())),
                ("name", name()),
            ],
        ),
        Route::ReadKey => object(&with("assertion", assertion), &[("keyId", optional(&key_id()))]),
        Route::WriteKey => {
            let mut required = with("assertion", assertion);
            required.push(("encryptionKey", key()));
            object(&required, &[("keyId", optional(&key_id()))])
        }
        _ => object(&with("assertion", assertion), &[]),
    }
}

/// What a route of the enclave writes.
pub(super) fn answer(route: Route) -> Value {
    let time = || json!({ "type": "integer", "minimum": 0, "description": "Seconds since 1970." });
    let all = |item: &Value| json!({ "type": "array", "items": item });
    match route {
        Route::Passkeys => {
            let keys = all(&key_id());
            let passkey =
                [("id", passkey_id()), ("name", text()), ("addedAt", time()), ("keys", keys)];
            object(&[("passkeys", all(&object(&passkey, &[])))], &[])
        }
        Route::PasskeyKeys => {
            let key = object(&[("id", key_id()), ("writtenAt", time())], &[]);
            object(&[("keys", all(&key))], &[])
        }
        Route::PasskeyStatus => {
            let names = ["not registered", "registered", "registered with credential"];
            object(&[("status", json!({ "enum": names }))], &[])
        }
        Route::FinishRegistration => {
            object(&[("passkeyId", passkey_id()), ("keyId", optional(&key_id()))], &[])
        }
        Route::ReadKey => object(&[("encryptionKey", key()), ("keyId", key_id())], &[]),
        Route::WriteKey => object(&[("keyId", key_id())], &[]),
        Route::RelatedOrigins => object(&[("origins", all(&json!({ "type": "string" })))], &[]),
        _ => {
            let description = "For the browser: `publicKey`, as WebAuthn's JSON has it.";
            let options = json!({ "type": "object", "description": description });
            object(&[("options", options), ("sessionId", text())], &[])
        }
    }
}

fn object(required: &[(&str, Value)], optional: &[(&str, Value)]) -> Value {
    let names: Vec<_> = required.iter().map(|(name, _)| *name).collect();
    let properties = required.iter().chain(optional);
    let properties: serde_json::Map<_, _> =
        properties.map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "properties": properties, "required": names })
}

/// What may also be `null`, which is as if it were not there.
fn optional(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn text() -> Value {
    json!({ "type": "string" })
}

/// The length is said in words: what is much longer is refused as a body that is too long.
fn text_of(json: &str) -> Value {
    let description = format!("{json} of WebAuthn, as text of at most 16 KiB.");
    json!({ "type": "string", "description": description })
}

fn relying_party() -> Value {
    json!({ "type": "string", "description": "The domain that the service is configured with." })
}

fn name() -> Value {
    let description = "How the user calls the passkey: 1 to 64 bytes, no control characters.";
    json!({ "type": ["string", "null"], "description": description })
}

fn key() -> Value {
    json!({ "type": "string", "pattern": "^[0-9A-Fa-f]{64}$", "description": "A secret." })
}

fn key_id() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$" })
}

fn passkey_id() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+$" })
}
