//! What can go wrong, and what the caller can do about it.

use backup_core::Curve;
use thiserror::Error;

use crate::pair::PairId;

/// What to do after an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Remedy {
    /// The bytes were damaged on the way: send the same ones again. Nothing was used up.
    Retry,
    /// This session is over on both sides: begin a new one. No share has changed.
    StartOver,
    /// Signing with this pair is over: back it up and recover, which makes a new pair. If it was
    /// not live yet, drop it and begin again with what makes such a pair.
    Frozen,
}

/// Why an operation did not go on. None of these has changed a share.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not what the other side sent: damaged, cut short, or under another secret.
    #[error("the message was damaged on the way")]
    Damaged,
    /// The other side speaks another version of these messages.
    #[error("unsupported message version {0}")]
    Version(u8),
    /// A sound message, but of another session, operation or step.
    #[error("the message belongs to another session or step")]
    WrongSession,
    /// No curve was given, or a share or payload of another curve than its place.
    #[error("no curve, or a share or payload of another curve")]
    WrongCurve,
    /// The two sides are about to use shares of different pairs.
    #[error("the two sides hold shares of different pairs")]
    PairMismatch,
    /// The two sides are about to sign different payloads.
    #[error("the two sides were given different payloads")]
    PayloadMismatch,
    /// Public commitments that do not belong to the share, or not to the wallet's key.
    #[error("the public commitments do not match the share")]
    CommitmentMismatch,
    /// The other side's message is sound bytes, but breaks the protocol.
    #[error("the other side broke the protocol: {0}")]
    Misbehaved(&'static str),
    /// The other side made the new share equal to the old one.
    #[error("the new share is the old one")]
    Unchanged,
    /// The new pair has the id of the old one, or both curves the same id.
    #[error("the new pair's id is not new")]
    PairIdReused,
    /// A proof that the client holds its half of a backup does not verify.
    #[error("the proof of the client's half does not verify")]
    BadProof,
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    Randomness,
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub const fn remedy(self) -> Remedy {
        match self {
            Self::Damaged => Remedy::Retry,
            _ => Remedy::StartOver,
        }
    }
}

/// Why signing did not go on.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum SignError {
    /// As in every operation.
    #[error(transparent)]
    Failed(#[from] Error),
    /// The other side cheated in a way that leaks something about this pair.
    #[error(transparent)]
    Frozen(#[from] Frozen),
}

impl SignError {
    /// What to do about it.
    #[must_use]
    pub const fn remedy(self) -> Remedy {
        match self {
            Self::Failed(error) => error.remedy(),
            Self::Frozen(_) => Remedy::Frozen,
        }
    }
}

/// The pair that must not sign any more.
///
/// The other side sent authenticated bytes that fail a check whose failure leaks bits of the pair's
/// long-lived oblivious-transfer state. Turn the stored share into a
/// [`FrozenShare`](crate::FrozenShare) before doing anything else. It can still be backed up, and
/// recovering that backup makes a pair with new state, which is not affected.
///
/// An [`UnconfirmedShare`](crate::UnconfirmedShare) is to be dropped instead, and its stored form
/// removed: nothing depends on it yet.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the {curve} pair {pair} is frozen: it must not sign any more")]
#[must_use = "a frozen pair must be stored as frozen before anything else happens"]
pub struct Frozen {
    /// The curve of the pair.
    pub curve: Curve,
    /// The pair.
    pub pair: PairId,
}

/// Why stored or received bytes are not a share, a key, a commitment or a state.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum FormatError {
    /// Too short, too long, or a field that no writer makes.
    #[error("malformed bytes")]
    Malformed,
    /// A version that this release does not read.
    #[error("unsupported version {0}")]
    Version(u8),
    /// Something else: another kind, curve, operation, or the other party's.
    #[error("bytes of something else")]
    WrongKind,
    /// The secret, the commitments and the public key do not belong together.
    #[error("the share is damaged")]
    Damaged,
}

/// An error inside a protocol, before it is known which operation runs.
#[derive(Debug)]
#[doc(hidden)]
pub enum Fault {
    Failed(Error),
    Ban,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
