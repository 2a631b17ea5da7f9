//! Reading what a passkey answered.

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::Refusal;

/// Reads an attestation or an assertion, after a look whether it carries what it must not.
pub(super) fn parse<T: DeserializeOwned>(json: &str) -> Result<T, Refusal> {
    if json.len() > MAX_LEN {
        return Err(Refusal::Malformed("the answer of the passkey is too long"));
    }
    let answer: Answer = serde_json::from_str(json).map_err(|_| MALFORMED)?;
    if answer.outputs.carry_secret() || answer.extensions.carry_secret() {
        return Err(Refusal::CarriesSecret);
    }
    serde_json::from_str(json).map_err(|_| MALFORMED)
}

/// Outputs of extensions, under both names that our parser of answers knows.
#[derive(Deserialize)]
struct Answer {
    #[serde(default, rename = "clientExtensionResults")]
    outputs: Outputs,
    #[serde(default)]
    extensions: Outputs,
}

/// The values are skipped over: a secret that should not be here is not kept, either.
#[derive(Default, Deserialize)]
struct Outputs {
    prf: Option<Prf>,
    #[serde(rename = "hmacGetSecret", alias = "hmac_get_secret")]
    hmac_get_secret: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Prf {
    results: Option<IgnoredAny>,
}

impl Outputs {
    fn carry_secret(&self) -> bool {
        self.hmac_get_secret.is_some() || self.prf.as_ref().is_some_and(|prf| prf.results.is_some())
    }
}

const MALFORMED: Refusal = Refusal::Malformed("the answer of the passkey is malformed");

/// An attestation without a statement takes under 2 KiB; one with certificates a few more.
const MAX_LEN: usize = 16 * 1024;
