//! A key as it stands in a body: 64 hexadecimal digits, read straight into its own memory.

use std::fmt;

use backup_core::EncryptionKey;
use serde::{
    Deserializer,
    de::{self, Visitor},
};
use zeroize::Zeroizing;

/// The digits, in lower case.
pub(crate) fn encode(key: &EncryptionKey) -> Zeroizing<String> {
    Zeroizing::new(base16ct::lower::encode_string(key.expose()))
}

pub(crate) fn parse(text: &str) -> Option<EncryptionKey> {
    EncryptionKey::try_init_with(|bytes| {
        let decoded = base16ct::mixed::decode(text, &mut bytes[..]).map_err(|_| ())?;
        if decoded.len() == 32 { Ok(()) } else { Err(()) }
    })
    .ok()
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<EncryptionKey, D::Error> {
    deserializer.deserialize_str(Digits)
}

struct Digits;

impl Visitor<'_> for Digits {
    type Value = EncryptionKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key of 64 hexadecimal digits")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<EncryptionKey, E> {
        // The text itself stays out of the error: it is a secret, or nearly one.
        parse(text).ok_or_else(|| E::custom("a key has 64 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_64_hexadecimal_digits_are_a_key() {
        let digits = "00ffA1".repeat(11)[..64].to_owned();
        let key = parse(&digits).unwrap();
        assert_eq!(*encode(&key), digits.to_lowercase());
        for wrong in [&digits[..62], &digits[..63], &format!("{digits}00"), "", &"zz".repeat(32)] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
