//! How values that are text in JSON look there, for the description of the service.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = { $($schema:tt)* })*) => {
        $(
            $(#[$doc])*
            pub(crate) enum $name {}

            impl JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({ "type": "string", $($schema)* })
                }
            }
        )*
    };
}

texts! {
    /// Of a custodian, client, share pair or backup set.
    Id = { "pattern": "^[!-~]{1,128}$" }
    /// Of a method.
    Method = { "pattern": "^([A-Z]+|[a-z0-9-]+([.][a-z0-9-]+)+)$", "maxLength": 64 }
    /// Of a method, in letters of any case.
    AnyMethod = { "pattern": "^([A-Za-z]+|[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+)$", "maxLength": 64 }
    /// Of a curve.
    CurveName = { "enum": ["SECP256K1", "ED25519"] }
    /// The public key of a device: 32 bytes.
    Key = { "pattern": "^[A-Za-z0-9_-]{43}$" }
    /// A SHA-256, or another 32 bytes.
    Hash = { "pattern": "^[0-9a-f]{64}$" }
    /// A `HoldProof`: 64 bytes.
    ProofText = { "pattern": "^[A-Za-z0-9_-]{86}$" }
    /// Any bytes.
    Hex = { "pattern": "^([0-9a-f]{2})*$" }
    /// Any bytes.
    Base64Url = { "pattern": "^[A-Za-z0-9_-]*$" }
    /// Of a webhook.
    WebhookSecretText = { "pattern": "^[!-~]{16,256}$" }
    /// A date and a time.
    Time = { "format": "date-time" }
}
