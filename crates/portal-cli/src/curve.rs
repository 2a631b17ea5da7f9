//! Curves, by the names that they have on a command line.

use backup_core::Curve;
use clap::ValueEnum;

/// Which of a wallet's keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum CurveName {
    /// Ethereum and other EVM chains, Bitcoin, Tron
    Secp256k1,
    /// Solana, Stellar
    Ed25519,
}

impl CurveName {
    pub(crate) const fn curve(self) -> Curve {
        match self {
            Self::Secp256k1 => Curve::Secp256k1,
            Self::Ed25519 => Curve::Ed25519,
        }
    }
}
