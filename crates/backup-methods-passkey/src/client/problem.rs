//! What went wrong with an enclave, where an app can do more than its user.

use std::time::Duration;

use backup_core::{Error, ErrorKind};

/// The cause of an [error](Error) of [`PasskeyEnclave`](crate::PasskeyEnclave), where the kind
/// alone does not say what to do.
///
/// [`EnclaveProblem::of`] finds it. None holds a key, a token or an address.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EnclaveProblem {
    /// The enclave does not take the client's API key or session token: get a new one.
    #[error("the enclave does not take the client's key")]
    SignInNeeded,
    /// The client has no passkey there: register one.
    #[error("no passkey is registered")]
    NoPasskey,
    /// This passkey may not have the key: one that has it can grant it.
    #[error("the passkey may not do this")]
    NotAllowed,
    /// What the passkey answered does not hold.
    #[error("the answer of the passkey does not hold")]
    NotVerified,
    /// The ceremony is over: the user took too long, or an answer of the enclave was lost.
    #[error("the ceremony is over")]
    Over,
    /// The enclave, or what is in front of it, asks to wait.
    #[error("the enclave asks to wait")]
    Busy {
        /// For how long, if it said so.
        retry_after: Option<Duration>,
    },
    /// The app and the enclave are set up for different relying parties.
    #[error("the enclave is for another relying party")]
    ForeignRelyingParty,
    /// Anything else that was refused.
    #[error("the enclave refused: {reason}")]
    Refused {
        /// Its word for it.
        reason: String,
    },
}

impl EnclaveProblem {
    /// The problem that caused `error`, if it came from here.
    #[must_use]
    pub fn of(error: &Error) -> Option<&Self> {
        error.cause()
    }
}

impl From<EnclaveProblem> for Error {
    fn from(problem: EnclaveProblem) -> Self {
        let (kind, message) = match &problem {
            EnclaveProblem::SignInNeeded => (
                ErrorKind::Unauthorized,
                "the passkey service does not know this user any more; sign in to the app again",
            ),
            EnclaveProblem::NoPasskey => {
                (ErrorKind::NotFound, "the user has no passkey here yet; make one first")
            }
            EnclaveProblem::NotAllowed => (
                ErrorKind::Unauthorized,
                "this passkey does not have the key of this backup; use the one that it was made \
                 with, or one that was added by it",
            ),
            EnclaveProblem::NotVerified => (
                ErrorKind::Unauthorized,
                "the passkey service did not accept the passkey; try again",
            ),
            EnclaveProblem::Over => (
                ErrorKind::Unavailable,
                "the time to confirm ran out, or the connection was lost; try again",
            ),
            EnclaveProblem::Busy { .. } => {
                (ErrorKind::Unavailable, "the passkey service asks to wait; try again later")
            }
            EnclaveProblem::ForeignRelyingParty => (
                ErrorKind::Unsupported,
                "the passkey service is set up for another domain than this app; update the app",
            ),
            EnclaveProblem::Refused { .. } => (
                ErrorKind::Unavailable,
                "the passkey service refused this; try again, or use another backup method",
            ),
        };
        Self::new(kind, message).with_source(problem)
    }
}
