//! From the output of a PRF to a wrapping key and its check value.

use backup_core::{EncryptionContext, WrappingKey};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::PrfOutput;

/// What the PRF is asked, of the salt in the parameters.
pub(crate) fn prf_input(salt: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(facts(INPUT_LABEL, &[salt])).into()
}

/// What comes of the output of the PRF.
pub(crate) struct Derived {
    pub(crate) wrapping_key: WrappingKey,
    /// Public: it tells whether a later output is the same, and nothing about the key.
    pub(crate) check: [u8; 32],
}

impl Derived {
    pub(crate) fn from(output: &PrfOutput, context: &EncryptionContext) -> Self {
        let parts = [context.custodian.as_str().as_bytes(), context.client.as_str().as_bytes()];
        let mut derived = Zeroizing::new(vec![0; 64]);
        Hkdf::<Sha256>::new(None, output.expose())
            .expand(&facts(KEY_LABEL, &parts), &mut derived)
            .expect("64 bytes are within the 8160 that HKDF-SHA-256 gives");
        let (key, check) = derived.split_at(32);
        Self {
            wrapping_key: WrappingKey::copied_from(key.try_into().expect("the first half")),
            check: check.try_into().expect("the second half"),
        }
    }
}

/// `facts` of `docs/format.md`, section 1.
pub(crate) fn facts(label: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut facts = Vec::new();
    for part in [label.as_bytes()].iter().chain(parts) {
        let len = u16::try_from(part.len()).expect("ids and labels are short");
        facts.extend_from_slice(&len.to_be_bytes());
        facts.extend_from_slice(part);
    }
    facts
}

const INPUT_LABEL: &str = "portal-backup/1 passkey prf input";
const KEY_LABEL: &str = "portal-backup/1 passkey prf key";

#[cfg(test)]
mod tests {
    use backup_core::{ClientId, CustodianId};

    use super::*;

    fn context(custodian: &'static str, client: &'static str) -> EncryptionContext {
        EncryptionContext::new(CustodianId::new(custodian).unwrap(), ClientId::new(client).unwrap())
    }

    /// Computed by Python's `hashlib` and `hmac` from `docs/format.md`, of the salt `00 01 … 1f`
    /// and the credential of WebAuthn's vectors; see `tests/vectors/prf-params`.
    #[test]
    fn input_key_and_check_value_are_those_of_another_implementation() {
        let salt = std::array::from_fn(|i| u8::try_from(i).unwrap());
        assert_eq!(prf_input(&salt), GOLDEN_INPUT);
        let derived = Derived::from(&PrfOutput::copied_from(&OUTPUT), &context("acme", "alice"));
        assert_eq!(derived.wrapping_key.expose(), &GOLDEN_KEY);
        assert_eq!(derived.check, GOLDEN_CHECK);
    }

    #[test]
    fn another_client_or_custodian_has_another_key_and_check_value() {
        let derive = |context| Derived::from(&PrfOutput::copied_from(&OUTPUT), &context);
        let one = derive(context("acme", "alice"));
        for other in [context("acme", "alicf"), context("acmf", "alice"), context("acmea", "lice")]
        {
            let other = derive(other);
            assert_ne!(one.wrapping_key, other.wrapping_key);
            assert_ne!(one.check, other.check);
        }
    }

    const GOLDEN_INPUT: [u8; 32] = [
        0x74, 0x14, 0xc4, 0xda, 0xbb, 0xb4, 0x88, 0x9a, 0x1a, 0x19, 0x32, 0x5a, 0x25, 0x25, 0x93,
        0xd2, 0xe1, 0x6c, 0x77, 0x5c, 0xec, 0xaf, 0x19, 0x6c, 0xab, 0x55, 0xd5, 0xa6, 0x0f, 0x48,
        0xe3, 0xe0,
    ];

    const OUTPUT: [u8; 32] = [
        0x13, 0x0d, 0x5d, 0xb1, 0xc8, 0x50, 0xef, 0xd3, 0xb1, 0x23, 0x47, 0x87, 0x2d, 0x4e, 0x3c,
        0xf2, 0xf4, 0x82, 0xbb, 0xee, 0xbc, 0xe6, 0x77, 0x9b, 0x51, 0x86, 0xbf, 0x42, 0xb9, 0x1d,
        0xf0, 0xc8,
    ];

    const GOLDEN_KEY: [u8; 32] = [
        0xf3, 0xe8, 0x5d, 0x00, 0x08, 0xa6, 0x53, 0xef, 0xea, 0x64, 0x12, 0xe5, 0xf5, 0x26, 0x5f,
        0x16, 0x76, 0xc0, 0x3c, 0xf3, 0x21, 0x2b, 0x83, 0x50, 0xb2, 0x7e, 0xb6, 0x4b, 0xa4, 0x96,
        0x8e, 0x04,
    ];

    const GOLDEN_CHECK: [u8; 32] = [
        0xe2, 0x41, 0xd8, 0x5c, 0x56, 0x9b, 0x4e, 0x35, 0xfc, 0x6d, 0x16, 0xb3, 0xc8, 0x25, 0xaf,
        0x9e, 0xca, 0x67, 0xfd, 0xa4, 0x77, 0x6f, 0xe1, 0x5f, 0x66, 0xed, 0x96, 0x36, 0xb2, 0x7e,
        0xc3, 0x3c,
    ];
}
