//! The description of the service in OpenAPI 3.1: made of [`Route::ALL`] and of the types that the
//! routes read and write.

mod enclave;
mod operation;
mod types;

use serde_json::{Map, Value, json};

use self::{operation::Operation, types::Types};
use crate::route::Route;

/// The text of the document. [`OPENAPI`](crate::OPENAPI) is what was made last.
///
/// # Panics
///
/// If two types of the same name are described.
#[must_use]
pub fn text() -> String {
    let text = serde_json::to_string_pretty(&document()).expect("it is plain JSON");
    text + "\n"
}

fn document() -> Value {
    let mut types = Types::new();
    let mut paths = Map::new();
    for route in Route::ALL {
        let operation = Operation(route).described(&mut types);
        let path = paths.entry(route.path()).or_insert_with(|| json!({}));
        path[route.method().to_ascii_lowercase()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portal Backup",
            "version": env!("CARGO_PKG_VERSION"),
            "description": INTRODUCTION,
            "license": { "name": "MIT OR Apache-2.0", "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "tags": [
            { "name": "service", "description": "For everybody." },
            { "name": "device", "description": "For devices: wallets, sessions, backup sets." },
            { "name": "enclave", "description": "For devices: passkeys, and keys for them." },
            { "name": "portal", "description": "Portal's own routes for its SDKs." },
            { "name": "custodian", "description": "Portal's own routes for customers' servers." },
        ],
        "paths": paths,
        "components": {
            "responses": types.refusals(),
            "schemas": types.schemas(),
            "headers": headers(),
            "securitySchemes": security_schemes(),
        },
    })
}

const INTRODUCTION: &str = "\
The service of an MPC wallet backup, compatible with Portal's public API. `docs/service.md` says \
what the routes mean, in which order they belong, and what the binary bodies are.

Every error has Portal's shape. Another method on one of these paths is 405 `BAD_REQUEST`, another \
path 404 `NOT_FOUND`. Path and headers together have at most 32 KiB, and a request that only reads \
has no body. Paths that begin with `/api/` may end with a slash.";

fn headers() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "TraceId": {
            "description": "Finds the request in the log of the service.",
            "required": true,
            "schema": { "type": "string", "format": "uuid" },
        },
        "RetryAfter": {
            "description": "After how many seconds to repeat the request.",
            "required": true,
            "schema": { "type": "string", "pattern": "^[0-9]+$" },
        },
        "Authenticate": {
            "description": "How to say who asks.",
            "required": true,
            "schema": text,
        },
    })
}

fn security_schemes() -> Value {
    let bearer =
        |description| json!({ "type": "http", "scheme": "bearer", "description": description });
    let header = |name, description| {
        let place = "header";
        json!({ "type": "apiKey", "in": place, "name": name, "description": description })
    };
    json!({
        "custodianKey": bearer("A custodian's API key, `pk_…`."),
        "clientKey": bearer("A client's API key, `ck_…`, or a session token of its, `cs_…`."),
        "deviceSignature": header(
            "X-Portal-Device-Signature",
            "The signature of the client's live device over method, path and body, in base64url.",
        ),
        "contentDigest": header(
            "Content-Digest",
            "SHA-256 of the body as it was signed, by RFC 9530: `sha-256=:…:`.",
        ),
    })
}
