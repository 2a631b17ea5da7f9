//! Bytes as WebAuthn's JSON and our parameters write them: base64url without padding.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{
    Deserializer,
    de::{self, Visitor},
};

pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

/// Reads a member with bytes.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    deserializer.deserialize_str(Text(decode))
}

/// Reads a string by a function, straight from the text: no copy of a secret is left behind.
pub(crate) struct Text<T>(pub(crate) fn(&str) -> Option<T>);

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64url without padding, of the right length")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        // The text itself stays out of the error: it may be a secret.
        (self.0)(text).ok_or_else(|| E::custom("bytes are not in base64url of the right length"))
    }
}
