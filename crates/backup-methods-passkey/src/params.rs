//! The public parameters of one enrolment: whose passkey, and what its PRF is asked, as JSON.

use backup_core::{Error, ErrorKind, MethodParams, Result};
use serde::{Deserialize, Serialize};

use crate::{CredentialId, base64url, relying_party::is_domain};

/// What an enrolment chose. Public.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Params {
    pub(crate) relying_party: String,
    pub(crate) passkey: CredentialId,
    pub(crate) salt: [u8; 32],
    pub(crate) check: [u8; 32],
}

impl Params {
    pub(crate) fn encode(&self) -> Result<MethodParams> {
        MethodParams::encode(&Json {
            v: VERSION,
            rp: self.relying_party.clone(),
            passkey: self.passkey.to_string(),
            salt: base64url::encode(&self.salt),
            check: base64url::encode(&self.check),
        })
    }

    pub(crate) fn decode(params: &MethodParams) -> Result<Self> {
        let json: Json = params.decode()?;
        if json.v != VERSION {
            return Err(invalid("a newer version of this software chose the parameters; update"));
        }
        if !is_domain(&json.rp) {
            return Err(invalid("the relying party is no domain"));
        }
        Ok(Self {
            relying_party: json.rp,
            passkey: CredentialId::parse(&json.passkey)
                .ok_or_else(|| invalid("the id of the passkey is not in base64url"))?,
            salt: bytes_32(&json.salt).ok_or_else(|| invalid("the salt is not 32 bytes"))?,
            check: bytes_32(&json.check)
                .ok_or_else(|| invalid("the check value is not 32 bytes"))?,
        })
    }
}

/// Version 1 means: input and key as `derive` makes them, the user always verified.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Json {
    v: u8,
    rp: String,
    passkey: String,
    salt: String,
    check: String,
}

const VERSION: u8 = 1;

fn bytes_32(text: &str) -> Option<[u8; 32]> {
    base64url::decode(text)?.try_into().ok()
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidParams, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const GOLDEN: &str = include_str!("../tests/vectors/prf-params");

    fn decode(json: &Value) -> Result<Params> {
        Params::decode(&MethodParams::from_bytes(json.to_string()).unwrap())
    }

    #[test]
    fn the_golden_parameters_are_read_and_written() {
        let params = Params::decode(&MethodParams::from_bytes(GOLDEN).unwrap()).unwrap();
        assert_eq!(params.relying_party, "example.com");
        assert_eq!(params.passkey.as_bytes(), (0xa0..=0xaf).collect::<Vec<u8>>());
        assert_eq!(params.salt.to_vec(), (0..32).collect::<Vec<u8>>());
        assert_eq!((params.check[0], params.check[31]), (0xe2, 0x3c));
        assert_eq!(params.encode().unwrap().as_bytes(), GOLDEN.as_bytes());
    }

    #[test]
    fn every_malformed_field_is_refused() {
        let short = "A".repeat(42);
        for (field, value) in [
            ("v", json!(2)),
            ("v", json!("1")),
            ("rp", json!("")),
            ("rp", json!("Example.com")),
            ("rp", json!("https://example.com")),
            ("passkey", json!("")),
            ("passkey", json!("oKGi==")),
            ("passkey", json!("A".repeat(1368))),
            ("salt", json!(short)),
            ("salt", json!("A".repeat(44))),
            ("salt", json!(format!("{short}+"))),
            ("check", json!(short)),
            ("check", json!(format!("{short}B"))),
            ("check", Value::Null),
            ("unknown", json!(0)),
        ] {
            let mut json: Value = serde_json::from_str(GOLDEN).unwrap();
            assert!(decode(&json).is_ok());
            json[field] = value;
            assert_eq!(decode(&json).unwrap_err().kind(), ErrorKind::InvalidParams, "{json}");
        }
    }

    #[test]
    fn every_missing_field_is_refused() {
        for field in ["v", "rp", "passkey", "salt", "check"] {
            let mut json: Value = serde_json::from_str(GOLDEN).unwrap();
            json.as_object_mut().unwrap().remove(field);
            assert_eq!(decode(&json).unwrap_err().kind(), ErrorKind::InvalidParams, "{field}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            let _ = Params::decode(&MethodParams::from_bytes(bytes).unwrap());
        }
    }
}
