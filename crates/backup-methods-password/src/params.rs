//! The public parameters of one enrolment: cost and salt, as JSON.

use backup_core::{Error, ErrorKind, MethodParams, Result};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

use crate::Cost;

/// What an enrolment chose. Public.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Params {
    pub(crate) cost: Cost,
    pub(crate) salt: Vec<u8>,
}

impl Params {
    /// `cost`, and a salt that nobody else has.
    pub(crate) fn generate(cost: Cost) -> Result<Self> {
        let mut salt = vec![0; NEW_SALT_LEN];
        getrandom::fill(&mut salt).map_err(|error| {
            Error::new(ErrorKind::Unavailable, "the operating system has no randomness to give")
                .with_source(error)
        })?;
        Ok(Self { cost, salt })
    }

    pub(crate) fn encode(&self) -> Result<MethodParams> {
        MethodParams::encode(&Json {
            v: VERSION,
            algorithm: ALGORITHM.to_owned(),
            memory_kib: self.cost.memory_kib(),
            passes: self.cost.passes(),
            lanes: self.cost.lanes(),
            salt: Base64UrlUnpadded::encode_string(&self.salt),
        })
    }

    /// Reads any cost; whether it is worth paying is for [`CostLimit`](crate::CostLimit) to say.
    pub(crate) fn decode(params: &MethodParams) -> Result<Self> {
        let json: Json = params.decode()?;
        if (json.v, &*json.algorithm) != (VERSION, ALGORITHM) {
            return Err(invalid("a newer version of this software chose the parameters; update"));
        }
        let cost = Cost::read(json.memory_kib, json.passes, json.lanes)
            .ok_or_else(|| invalid("the cost parameters are not ones of Argon2"))?;
        let salt = Base64UrlUnpadded::decode_vec(&json.salt)
            .map_err(|_| invalid("the salt is not in base64url"))?;
        if !SALT_LENS.contains(&salt.len()) {
            return Err(invalid("the salt has 16 to 64 bytes"));
        }
        Ok(Self { cost, salt })
    }
}

/// Version 1 means: the password as RFC 8265's OpaqueString, Argon2 version 0x13, 32 bytes out.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Json {
    v: u8,
    algorithm: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

const VERSION: u8 = 1;
const ALGORITHM: &str = "argon2id";

/// RFC 9106, section 4: 128 bits suffice for all applications.
const NEW_SALT_LEN: usize = 16;
const SALT_LENS: std::ops::RangeInclusive<usize> = 16..=64;

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidParams, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn valid() -> Value {
        json!({
            "v": 1, "algorithm": "argon2id", "memory_kib": 131_072, "passes": 3, "lanes": 4,
            "salt": "AAECAwQFBgcICQoLDA0ODw",
        })
    }

    fn decode(json: &Value) -> Result<Params> {
        Params::decode(&MethodParams::from_bytes(json.to_string()).unwrap())
    }

    #[test]
    fn the_encoding_is_the_documented_json() {
        let params = Params { cost: Cost::RECOMMENDED, salt: (0..16).collect() };
        let expected = concat!(
            r#"{"v":1,"algorithm":"argon2id","memory_kib":131072,"passes":3,"lanes":4,"#,
            r#""salt":"AAECAwQFBgcICQoLDA0ODw"}"#
        );
        assert_eq!(params.encode().unwrap().as_bytes(), expected.as_bytes());
        assert_eq!(decode(&valid()).unwrap(), params);
    }

    #[test]
    fn every_malformed_field_is_refused() {
        for (field, value) in [
            ("v", json!(2)),
            ("algorithm", json!("argon2i")),
            ("algorithm", json!("ARGON2ID")),
            ("memory_kib", json!(31)),
            ("memory_kib", json!(-1)),
            ("memory_kib", json!(4_294_967_296_u64)),
            ("passes", json!(0)),
            ("lanes", json!(0)),
            ("salt", json!("")),
            ("salt", json!("AAECAwQFBgcICQoLDA0O")),
            ("salt", json!("AAECAwQFBgcICQoLDA0ODw==")),
            ("salt", json!("AAECAwQFBgcICQoLDA0ODx")),
            ("salt", json!("A".repeat(88))),
            ("more", json!(1)),
        ] {
            let mut json = valid();
            json[field] = value.clone();
            let error = decode(&json).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParams, "{field}: {value}");
        }
    }

    #[test]
    fn every_field_is_required() {
        for field in ["v", "algorithm", "memory_kib", "passes", "lanes", "salt"] {
            let mut json = valid();
            json.as_object_mut().unwrap().remove(field);
            assert_eq!(decode(&json).unwrap_err().kind(), ErrorKind::InvalidParams, "{field}");
        }
    }

    #[test]
    fn generated_salts_differ() {
        let salt = || Params::generate(Cost::RECOMMENDED).unwrap().salt;
        assert_ne!(salt(), salt());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            let _ = Params::decode(&MethodParams::from_bytes(bytes).unwrap());
        }

        #[test]
        fn whatever_is_read_encodes_to_something_that_reads_the_same(
            memory_kib: u32, passes: u32, lanes in 0..100_u32, salt in "[A-Za-z0-9_-]{0,90}",
        ) {
            let mut json = valid();
            json["memory_kib"] = memory_kib.into();
            json["passes"] = passes.into();
            json["lanes"] = lanes.into();
            json["salt"] = salt.into();
            if let Ok(params) = decode(&json) {
                prop_assert_eq!(&Params::decode(&params.encode().unwrap()).unwrap(), &params);
            }
        }
    }
}
