//! Identifiers of share pairs.

use std::fmt;

use sha2::{Digest, Sha256};

/// Which pair a share belongs to.
///
/// Whoever stores pairs may name them by any string; shares and sessions hold the hash of it, so
/// that a share has a fixed size whatever the name.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PairId([u8; Self::LEN]);

impl PairId {
    /// The length in bytes.
    pub const LEN: usize = 32;

    /// The id of the pair that is stored under this name.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let digest = Sha256::new().chain_update(b"portal-mpc/v1/pair").chain_update(name);
        Self(digest.finalize().into())
    }

    /// An id as [`PairId::as_bytes`] gave it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes, as they stand in shares and messages.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Debug for PairId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PairId({self})")
    }
}

impl fmt::Display for PairId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0))
    }
}
