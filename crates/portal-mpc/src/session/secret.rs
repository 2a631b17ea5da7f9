//! The secret of a session, and the keys derived from it.

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::Error;

/// The secret that the client makes for one session.
///
/// The client keeps it in memory only, and the transport passes it along with each post, over a
/// channel that is confidential by itself (TLS). The server keeps it no longer than it takes to
/// answer. Messages are authenticated under a key derived from it; so should be whatever seals
/// [states](crate::server::Answered::to_bytes) and replies at rest, so that no copy of a database
/// opens a finished session.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SessionSecret(Box<[u8; Self::LEN]>);

impl SessionSecret {
    /// The length in bytes.
    pub const LEN: usize = 32;

    /// The secret that came with a post.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        Self(Box::new(*bytes))
    }

    /// The secret, for the transport.
    #[must_use]
    pub fn expose(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    pub(crate) fn generate() -> Result<Self, Error> {
        let mut secret = Self(Box::default());
        getrandom::fill(secret.0.as_mut_slice()).map_err(|_| Error::Randomness)?;
        Ok(secret)
    }

    /// The key of the integrity tags.
    pub(crate) fn tag_key(&self) -> TagKey {
        let mut key = TagKey(Box::default());
        Hkdf::<Sha256>::new(None, self.0.as_slice())
            .expand(b"portal-mpc/v1/tag", key.0.as_mut_slice())
            .expect("32 bytes are within what HKDF-SHA256 yields");
        key
    }
}

impl fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionSecret(<redacted>)")
    }
}

/// The key of the integrity tags of one session.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct TagKey(pub(crate) Box<[u8; 32]>);

/// 32 random bytes that are no secret.
pub(crate) fn random() -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Error::Randomness)?;
    Ok(bytes)
}
