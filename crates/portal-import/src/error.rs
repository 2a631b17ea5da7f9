//! Why something of Portal's is not taken, and what to do about it.

use std::fmt;

use thiserror::Error;

/// Why a blob, a share or a custodian's share is not taken.
///
/// A field is named as Portal names it. No error holds anything that was read, but for a rank.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ImportError {
    /// Far longer than what Portal writes. Nothing was computed.
    #[error(
        "this is over {limit} characters, longer than anything that Portal writes: check that it \
         is a backup"
    )]
    TooLong {
        /// The most characters that are read.
        limit: usize,
    },
    /// The ciphertext is not pairs of lower-case hexadecimal digits.
    #[error(
        "the ciphertext is not lower-case hexadecimal: give Portal's cipherText as it was stored, \
         with nothing around it"
    )]
    NotABlob,
    /// The ciphertext is shorter than one of an empty text.
    #[error("the ciphertext is cut short: fetch it again")]
    TooShort,
    /// The key is not 64 lower-case hexadecimal digits.
    #[error(
        "the key is not 64 lower-case hexadecimal digits: give it as the backup method stored it, \
         with nothing around it"
    )]
    InvalidKey,
    /// The key does not open the blob.
    #[error(
        "the key does not open the backup: it is another backup's, the backup was made under a \
         password, or it was changed or cut short"
    )]
    WrongKey,
    /// The password does not open the blob.
    #[error(
        "the password does not open the backup: ask for it again; if it is right, the backup was \
         made under a key, or it was changed or cut short"
    )]
    WrongPassword,
    /// What was decrypted or given is not JSON, nor base64 of it.
    #[error("this is neither JSON nor base64 of it: it is no share of Portal's")]
    NotJson,
    /// JSON, but with nothing in it where Portal's shares are.
    #[error("there is no share of Portal's in this JSON")]
    NoShare,
    /// A field that every share has is not there. Shares of Portal's first protocol, GG18, have no
    /// partial public keys.
    #[error("the share has no {field}: it is incomplete, or of a protocol that Portal gave up")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field holds something else than it should.
    #[error("the share's {field} is malformed: the share was changed, or is of another version")]
    Malformed {
        /// The field.
        field: &'static str,
    },
    /// A scalar is zero, or not below the order of its curve.
    #[error("the share's {field} is out of the range of its curve: the share was changed")]
    OutOfRange {
        /// The field.
        field: &'static str,
    },
    /// Coordinates are of no point of the curve that a public key may be.
    #[error(
        "the share's {field} is no point of its curve: the share was changed, or is of another \
         curve"
    )]
    NotOnCurve {
        /// The field.
        field: &'static str,
    },
    /// A Birkhoff parameter of another rank than 0. Portal writes none, and this import combines
    /// none.
    #[error("the {side}'s part of the share has the rank {rank}, and only rank 0 can be combined")]
    Rank {
        /// Whose.
        side: Side,
        /// The rank.
        rank: u32,
    },
    /// Both parties' parts stand at the same place.
    #[error("both parties' bks are the same: the share was changed")]
    SamePlace,
    /// The secret is not the one of the holder's partial public key.
    #[error(
        "this is not the {side}'s share: its secret is not that of the {side}'s partialPubkey; it \
         was changed, or is another share's"
    )]
    WrongSecret {
        /// Whose share it was to be.
        side: Side,
    },
    /// The partial public keys do not combine to the public key.
    #[error(
        "the share's partialPubkey does not make its pubkey: the share was changed, or mixed of \
         two"
    )]
    WrongPublicKey,
    /// The custodian's share is of another wallet.
    #[error(
        "the custodian's share is of another wallet, or of this one on another curve: ask for \
         that of the same wallet"
    )]
    OtherWallet,
    /// The custodian's share is of the same wallet, and of another backup.
    #[error(
        "the custodian's share is of another backup of this wallet: ask for that of the same \
         backup share pair"
    )]
    OtherBackup,
}

/// A party that holds one of a wallet's two shares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// The user's device.
    Client,
    /// The custodian, which Portal's shares call the server.
    Server,
}

impl Side {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

pub(crate) type Result<T, E = ImportError> = std::result::Result<T, E>;
