//! The public parameters of one enrolment: whose passkey, and the name of the key, as JSON.

use backup_core::{Error, ErrorKind, KeyName, KeyPrefix, MethodParams, Operation, Result};
use serde::{Deserialize, Serialize};

use crate::{RelyingParty, relying_party::is_domain};

/// Names the key of an enrolment.
pub(super) fn encode(relying_party: &RelyingParty, name: &KeyName) -> Result<MethodParams> {
    let (rp, key) = (relying_party.id().to_owned(), name.as_str().to_owned());
    MethodParams::encode(&Params { v: VERSION, rp, key })
}

/// The relying party, and the key: a slot of this client names keys of this client only.
pub(super) fn decode(op: &Operation<'_>, params: &MethodParams) -> Result<(String, KeyName)> {
    let Params { v, rp, key } = params.decode()?;
    if v != VERSION {
        return Err(invalid("a newer version of this software chose the parameters; update"));
    }
    if !is_domain(&rp) {
        return Err(invalid("the relying party is no domain"));
    }
    let name = KeyName::parse(&KeyPrefix::of(op.context()), &key)
        .ok_or_else(|| invalid("the parameters do not name a key of this client"))?;
    Ok((rp, name))
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Params {
    v: u8,
    rp: String,
    key: String,
}

const VERSION: u8 = 1;

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidParams, message)
}

#[cfg(test)]
mod tests {
    use backup_core::{ClientId, CustodianId, EncryptionContext, Purpose};
    use serde_json::{Value, json};

    use super::*;

    const GOLDEN: &str = include_str!("../../tests/vectors/enclave-params");

    fn decode_as(client: &'static str, json: &str) -> Result<(String, KeyName)> {
        let ids = (CustodianId::new("acme").unwrap(), ClientId::new(client).unwrap());
        let context = EncryptionContext::new(ids.0, ids.1);
        let params = MethodParams::from_bytes(json.to_owned()).unwrap();
        decode(&Operation::new(Purpose::Unlock, &context), &params)
    }

    #[test]
    fn the_golden_parameters_are_read_and_written() {
        let (rp, name) = decode_as("alice", GOLDEN).unwrap();
        assert_eq!(rp, "example.com");
        let party = RelyingParty::new(rp, "Acme").unwrap();
        assert_eq!(encode(&party, &name).unwrap().as_bytes(), GOLDEN.as_bytes());
    }

    #[test]
    fn parameters_of_another_client_are_refused() {
        assert_eq!(decode_as("bob", GOLDEN).unwrap_err().kind(), ErrorKind::InvalidParams);
    }

    #[test]
    fn every_malformed_field_is_refused() {
        for (field, value) in [
            ("v", json!(2)),
            ("rp", json!("https://example.com")),
            ("key", json!("other")),
            ("key", Value::Null),
            ("unknown", json!(0)),
        ] {
            let mut json: Value = serde_json::from_str(GOLDEN).unwrap();
            json[field] = value;
            let error = decode_as("alice", &json.to_string()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParams, "{json}");
        }
    }
}
