//! The id of a passkey.

use std::{fmt, str::FromStr};

use backup_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base64url;

/// The id of a passkey, as its authenticator chose it. Public.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct CredentialId(Vec<u8>);

impl CredentialId {
    /// The longest id that WebAuthn (Level 3, section 4, "Credential ID") allows, in bytes.
    pub const MAX_LEN: usize = 1023;

    /// Takes an id as an authenticator gave it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if it is empty or longer than [`MAX_LEN`](Self::MAX_LEN).
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self> {
        Self::of(bytes.into()).ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "the id of a passkey has 1 to 1023 bytes")
        })
    }

    fn of(bytes: Vec<u8>) -> Option<Self> {
        (1..=Self::MAX_LEN).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// Reads base64url without padding.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        base64url::decode(text).and_then(Self::of)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// base64url without padding, as in WebAuthn's JSON.
impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(&self.0))
    }
}

/// What [`Display`](fmt::Display) writes.
impl FromStr for CredentialId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text).ok_or_else(|| {
            let message = "the id of a passkey is 1 to 1023 bytes in base64url, without padding";
            Error::new(ErrorKind::InvalidInput, message)
        })
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialId({self})")
    }
}

impl Serialize for CredentialId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CredentialId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(base64url::Text(Self::parse))
    }
}
