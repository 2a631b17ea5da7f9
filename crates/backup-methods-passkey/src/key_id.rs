//! The name of a stored key.

use std::fmt;

use backup_core::{BackupId, Result};
use serde::{Deserialize, Deserializer, Serialize, de};

/// The name that a client gave a key, or that the enclave chose: `keyId` on the wire. Public.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// The longest name, in bytes.
    pub const MAX_LEN: usize = 64;

    /// Reads a name: 1 to 64 letters, digits, `.`, `_` and `-` of ASCII; `None` for anything else.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_name = (1..=Self::MAX_LEN).contains(&name.len()) && name.bytes().all(fits);
        is_name.then(|| Self(name.to_owned()))
    }

    /// A name that nothing has yet, for clients that choose none.
    #[cfg(feature = "enclave")]
    pub(crate) fn generate() -> Result<Self> {
        Ok(Self(format!("key-{}", BackupId::generate()?)))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| de::Error::custom("a keyId is 1 to 64 of A-Za-z0-9._-"))
    }
}
