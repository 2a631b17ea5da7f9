//! The curves that a wallet can live on.

use std::fmt;

/// The curve of one wallet.
///
/// A client has one wallet per curve; a backup holds the shares of all of them. The order of the
/// variants is the order in which curves stand in an envelope.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Curve {
    /// secp256k1 (SEC 2), for ECDSA: EVM chains, Bitcoin, Tron.
    Secp256k1,
    /// edwards25519 (RFC 8032), for Ed25519: Solana, Stellar.
    Ed25519,
}

impl Curve {
    /// Every curve, in the order of the format.
    pub const ALL: [Self; 2] = [Self::Secp256k1, Self::Ed25519];

    /// The name on the wire, as Portal's API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secp256k1 => "SECP256K1",
            Self::Ed25519 => "ED25519",
        }
    }

    /// The byte that stands for the curve in our formats.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Secp256k1 => 1,
            Self::Ed25519 => 2,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.code() == code)
    }

    /// The length in bytes of a compressed point: a wallet's public key or a share's commitment.
    #[must_use]
    pub const fn point_len(self) -> usize {
        match self {
            Self::Secp256k1 => 33,
            Self::Ed25519 => 32,
        }
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
