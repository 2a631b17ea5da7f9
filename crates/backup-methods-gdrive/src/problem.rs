//! What went wrong with Google, where an app can do more than its user.

use std::time::Duration;

use backup_core::{Error, ErrorKind};
use thiserror::Error;

/// The cause of an [error](struct@Error) of this crate, where the kind alone does not say what to
/// do.
///
/// [`DriveProblem::of`] finds it. None holds a token, a key or an address.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum DriveProblem {
    /// The user has to sign in and agree: for the first time, or again because the consent was
    /// withdrawn, has run out, or leaves out what is needed. Call
    /// [`TokenSource::sign_in`](crate::TokenSource::sign_in), then try again.
    #[error("the user has to sign in to Google and agree")]
    SignInNeeded,
    /// The user's Drive has no room.
    #[error("the user's Google storage is full")]
    Full,
    /// Google asks to wait, for longer than the caller wanted to.
    #[error("Google asks to wait")]
    Busy {
        /// For how long, if it said so.
        retry_after: Option<Duration>,
    },
    /// The administrator of the user's account forbids the app, or the app's Google Cloud project
    /// has not turned on the Drive API, or its client id is wrong.
    #[error("Google does not serve this app: {reason}")]
    AppRefused {
        /// Google's word for it.
        reason: String,
    },
    /// Anything else that Google refused.
    #[error("Google refused with status {status}: {reason}")]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// Google's word for it, if it gave one.
        reason: String,
    },
}

/// No answer. The cause is not kept: it may hold the address that was asked.
pub(crate) fn unreachable() -> Error {
    let message = "Google does not answer; check the connection and try again";
    Error::new(ErrorKind::Unavailable, message)
}

/// What no server of Google's answers.
pub(crate) fn unreadable() -> Error {
    let message = "the answer is not one of Google; check the connection and try again";
    Error::new(ErrorKind::Unavailable, message)
}

impl DriveProblem {
    /// The problem that caused `error`, if it came from this crate.
    #[must_use]
    pub fn of(error: &Error) -> Option<&Self> {
        error.cause()
    }
}

impl From<DriveProblem> for Error {
    fn from(problem: DriveProblem) -> Self {
        let (kind, message) = match &problem {
            DriveProblem::SignInNeeded => (
                ErrorKind::Unauthorized,
                "Google wants the user to sign in and agree; sign in, then try again",
            ),
            DriveProblem::Full => (
                ErrorKind::Unavailable,
                "the Google storage of this account is full; make room, then try again",
            ),
            DriveProblem::Busy { .. } => {
                (ErrorKind::Unavailable, "Google asks to wait; try again later")
            }
            DriveProblem::AppRefused { .. } => (
                ErrorKind::Unsupported,
                "Google does not serve this app for this account; use another method",
            ),
            DriveProblem::Refused { .. } => {
                (ErrorKind::Unavailable, "Google refused the request; try again later")
            }
        };
        Self::new(kind, message).with_source(problem)
    }
}
