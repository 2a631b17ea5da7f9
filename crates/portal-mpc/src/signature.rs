//! Signatures.

use backup_core::Curve;

use crate::by_curve::OnCurve;

/// A signature of the wallet's key, verified by both sides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signature {
    /// ECDSA on secp256k1.
    Ecdsa(EcdsaSignature),
    /// Ed25519 (RFC 8032).
    Ed25519([u8; 64]),
}

impl OnCurve for Signature {
    fn curve(&self) -> Curve {
        match self {
            Self::Ecdsa(_) => Curve::Secp256k1,
            Self::Ed25519(_) => Curve::Ed25519,
        }
    }
}

/// An ECDSA signature on secp256k1, with s in the lower half of its range.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EcdsaSignature {
    bytes: [u8; 64],
    recovery_id: u8,
}

impl EcdsaSignature {
    pub(crate) const fn new(bytes: [u8; 64], recovery_id: u8) -> Self {
        Self { bytes, recovery_id }
    }

    /// r and s, big-endian, 32 bytes each.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.bytes
    }

    /// Which of the up to four keys that fit the signature is the wallet's, 0 to 3. An EIP-155 `v`
    /// is made of it by whoever builds the transaction.
    #[must_use]
    pub const fn recovery_id(&self) -> u8 {
        self.recovery_id
    }
}
