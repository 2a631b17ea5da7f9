//! What became of a ceremony that gave no answer.

use std::borrow::Cow;

use backup_core::{Error, ErrorKind};

/// Why a ceremony gave no answer.
///
/// A browser says `NotAllowedError` alike of a user who declined, of time that ran out and of a
/// passkey that is not there, so that pages learn nothing: that is [`Cancelled`](Self::Cancelled).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CeremonyError {
    /// The user declined.
    #[error("the passkey was not confirmed; try again, and confirm when you are asked")]
    Cancelled,
    /// The window of the ceremony was closed before it came to its end.
    #[error("the window for the passkey was closed; try again, and leave it open to the end")]
    Closed,
    /// Anything else. The text tells the user what to do, and holds no secret.
    #[error("{0}")]
    Failed(Cow<'static, str>),
    /// The user did not answer in time.
    #[error("the time to confirm the passkey ran out; try again")]
    TimedOut,
    /// The platform, or this passkey, cannot do what was asked.
    #[error("this device cannot use passkeys in this way; choose another backup method")]
    Unsupported,
    /// None of the passkeys that were asked for is at hand, or another one answered.
    #[error("this is not the passkey of this backup; use the one that it was made with")]
    WrongPasskey,
}

impl CeremonyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Cancelled | Self::Closed => ErrorKind::Cancelled,
            Self::Failed(_) | Self::TimedOut => ErrorKind::Unavailable,
            Self::Unsupported => ErrorKind::Unsupported,
            Self::WrongPasskey => ErrorKind::Unauthorized,
        }
    }
}

impl From<CeremonyError> for Error {
    fn from(error: CeremonyError) -> Self {
        Self::new(error.kind(), error.to_string()).with_source(error)
    }
}
