//! API keys and session tokens: a prefix that says whose it is, and 32 random bytes.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::random::{self, NoRandomness};

/// The API key of a custodian or a client, or a session token of a client. Secret.
pub struct ApiKey(Zeroizing<String>);

/// SHA-256 of an API key: what the database keeps of it.
#[derive(Clone, Copy, Debug)]
pub struct ApiKeyHash([u8; 32]);

/// Whose key it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Audience {
    /// A custodian's: `pk_…`.
    Custodian,
    /// A client's: `ck_…`.
    Client,
    /// A client's, for a while: `cs_…`.
    Session,
}

impl ApiKey {
    /// A fresh key.
    ///
    /// # Errors
    ///
    /// [`NoRandomness`].
    pub fn generate(audience: Audience) -> Result<Self, NoRandomness> {
        let secret = random::secret_text()?;
        let mut text = Zeroizing::new(String::with_capacity(PREFIX_LEN + secret.len()));
        text.push_str(audience.prefix());
        text.push_str(&secret);
        Ok(Self(text))
    }

    /// The key itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the database keeps of it.
    #[must_use]
    pub fn hash(&self) -> ApiKeyHash {
        ApiKeyHash::of(&self.0)
    }
}

impl ApiKeyHash {
    /// The hash of the key that came with a request, if it is one of this audience's.
    #[must_use]
    pub fn of_presented(key: &str, audience: Audience) -> Option<Self> {
        let secret = key.strip_prefix(audience.prefix())?;
        let mut bytes = Zeroizing::new([0; 32]);
        let decoded = Base64UrlUnpadded::decode(secret, bytes.as_mut_slice()).ok()?;
        (decoded.len() == 32).then(|| Self::of(key))
    }

    /// The name by which a key is listed and revoked: no secret, and the same for the same key.
    #[must_use]
    pub fn name(&self) -> String {
        base16ct::lower::encode_string(&self.0[..8])
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether these bytes are the same, in constant time.
    #[must_use]
    pub fn is(&self, bytes: &[u8]) -> bool {
        self.0.ct_eq(bytes).into()
    }

    fn of(key: &str) -> Self {
        Self(Sha256::digest(key).into())
    }
}

impl Audience {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Custodian => "pk_",
            Self::Client => "ck_",
            Self::Session => "cs_",
        }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([REDACTED])")
    }
}

const PREFIX_LEN: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_prefix_and_43_characters_and_is_known_by_its_hash() {
        for audience in [Audience::Custodian, Audience::Client, Audience::Session] {
            let key = ApiKey::generate(audience).unwrap();
            assert_eq!(key.expose().len(), 46);
            let presented = ApiKeyHash::of_presented(key.expose(), audience).unwrap();
            assert!(presented.is(key.hash().as_bytes()));
            assert!(!presented.is(&[0; 32]));
            assert!(!presented.is(&[]));
        }
    }

    #[test]
    fn a_key_of_the_other_audience_or_of_another_length_is_none() {
        let key = ApiKey::generate(Audience::Client).unwrap();
        assert!(ApiKeyHash::of_presented(key.expose(), Audience::Custodian).is_none());
        let key = key.expose();
        for wrong in ["", "ck_", &key[..45], &format!("{key}A"), &key.replace("ck_", "CK_")] {
            assert!(ApiKeyHash::of_presented(wrong, Audience::Client).is_none(), "{wrong}");
        }
    }

    #[test]
    fn no_key_shows_in_debug() {
        let key = ApiKey::generate(Audience::Client).unwrap();
        assert_eq!(format!("{key:?}"), "ApiKey([REDACTED])");
    }
}
