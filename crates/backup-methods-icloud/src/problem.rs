//! What went wrong with iCloud, where an app can do more than its user.

use std::time::Duration;

use backup_core::{Error, ErrorKind};
use thiserror::Error;

/// The cause of an [error](struct@Error) of this crate, where the kind alone does not say what to
/// do.
///
/// [`ICloudProblem::of`] finds it. None holds a token, a key or an address.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ICloudProblem {
    /// The user has to sign in: for the first time, or again because the token has run out, was
    /// used before, or its successor was lost on the way. Making and reading a backup does so by
    /// itself.
    #[error("the user has to sign in to iCloud")]
    SignInNeeded,
    /// Somebody is signed in, but not the user whom the app expects
    /// ([`ICloudStore::of_user`](crate::ICloudStore::of_user)). Forget the token, and let the user
    /// sign in with the Apple Account that has the backup.
    #[error("another Apple Account is signed in")]
    OtherAccount,
    /// The user's iCloud has no room.
    #[error("the user's iCloud storage is full")]
    Full,
    /// Apple asks to wait, or has an outage, for longer than the caller wanted to wait.
    #[error("Apple asks to wait")]
    Busy {
        /// For how long, if it said so.
        retry_after: Option<Duration>,
    },
    /// The app is set up wrongly: the API token is not one of this container and environment, the
    /// record type was not deployed to production, the user's account is not allowed to.
    #[error("Apple does not serve this app: {reason}")]
    AppRefused {
        /// Apple's word for it.
        reason: String,
    },
    /// Anything else that Apple refused.
    #[error("Apple refused: {reason}")]
    Refused {
        /// Apple's word for it.
        reason: String,
    },
}

impl ICloudProblem {
    /// The problem that caused `error`, if it came from this crate.
    #[must_use]
    pub fn of(error: &Error) -> Option<&Self> {
        error.cause()
    }
}

impl From<ICloudProblem> for Error {
    fn from(problem: ICloudProblem) -> Self {
        let (kind, message) = match &problem {
            ICloudProblem::SignInNeeded => (
                ErrorKind::Unauthorized,
                "Apple wants the user to sign in to iCloud; sign in, then try again",
            ),
            ICloudProblem::OtherAccount => (
                ErrorKind::Unauthorized,
                "this is the iCloud of another Apple Account than the one that has the backup; \
                 sign in with that one",
            ),
            ICloudProblem::Full => (
                ErrorKind::Unavailable,
                "the iCloud storage of this account is full; make room, then try again",
            ),
            ICloudProblem::Busy { .. } => {
                (ErrorKind::Unavailable, "iCloud asks to wait; try again later")
            }
            ICloudProblem::AppRefused { .. } => (
                ErrorKind::Unsupported,
                "iCloud does not serve this app for this account; use another method",
            ),
            ICloudProblem::Refused { .. } => {
                (ErrorKind::Unavailable, "iCloud refused the request; try again later")
            }
        };
        Self::new(kind, message).with_source(problem)
    }
}
