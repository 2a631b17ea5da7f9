//! Public keys: of wallets, and of the halves of a pair.

use std::fmt;

use backup_core::Curve;

use crate::by_curve::OnCurve;
use crate::error::FormatError;
use crate::{ed25519, secp256k1};

/// A point that is neither the identity nor of small order: the public key of a wallet, or the
/// public commitment to one party's half of it.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct PublicKey(Encoded);

#[derive(Clone, Copy, Eq, Hash, PartialEq)]
enum Encoded {
    Secp256k1([u8; 33]),
    Ed25519([u8; 32]),
}

impl PublicKey {
    /// Reads a compressed point (SEC 1 for secp256k1, RFC 8032 for Ed25519).
    ///
    /// # Errors
    ///
    /// [`FormatError::Malformed`] if it is not the one encoding of such a point.
    pub fn from_bytes(curve: Curve, bytes: &[u8]) -> Result<Self, FormatError> {
        match curve {
            Curve::Secp256k1 => secp256k1::point(bytes).map(Self::from_secp256k1),
            Curve::Ed25519 => ed25519::point(bytes).map(Self::from_ed25519),
            _ => None,
        }
        .ok_or(FormatError::Malformed)
    }

    /// The compressed point.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Encoded::Secp256k1(bytes) => bytes,
            Encoded::Ed25519(bytes) => bytes,
        }
    }

    pub(crate) fn from_secp256k1(point: k256::AffinePoint) -> Self {
        Self(Encoded::Secp256k1(secp256k1::compress(&point)))
    }

    pub(crate) fn from_ed25519(point: curve25519_dalek::EdwardsPoint) -> Self {
        Self(Encoded::Ed25519(point.compress().to_bytes()))
    }
}

impl OnCurve for PublicKey {
    fn curve(&self) -> Curve {
        match self.0 {
            Encoded::Secp256k1(_) => Curve::Secp256k1,
            Encoded::Ed25519(_) => Curve::Ed25519,
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}: {self})", self.curve())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base16ct::lower::encode_string(self.as_bytes()))
    }
}
