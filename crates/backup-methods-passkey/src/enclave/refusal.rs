//! Why a request was refused. Nothing has changed then, but for the count of failed attempts.

use backup_core::Error;

/// Why the enclave did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The passkey is registered already.
    #[error("this passkey is registered already; log in with it")]
    AlreadyRegistered,
    /// No key was named, there are several, and none is known to be of a completed backup.
    #[error("several keys are stored, and none is of a completed backup; name one by keyId")]
    Ambiguous,
    /// Other requests of the client came first, again and again.
    #[error("other requests of this client came first; repeat the request")]
    Busy,
    /// The body carries the output of a PRF.
    #[error("the answer carries the output of a PRF, which must stay on the device; remove it")]
    CarriesSecret,
    /// The name has another key.
    #[error("another key is stored under this keyId, and stays; choose another keyId")]
    Conflict,
    /// The service failed.
    #[error("the service failed; repeat the request")]
    Failed(#[source] Error),
    /// The request is for another relying party.
    #[error("this service is for another relying party; use the one that it is configured with")]
    ForeignRelyingParty,
    /// Some key would have no passkey any more.
    #[error("a key would have no passkey left; grant it to another passkey, or delete it, first")]
    LastHolder,
    /// There are as many as there may be.
    #[error("there are too many of these; {0}")]
    LimitReached(&'static str),
    /// What was sent is not what it should be.
    #[error("{0}")]
    Malformed(&'static str),
    /// The passkey that confirmed has no right to this.
    #[error("this passkey may not do that; use one that has the key")]
    NotAllowed,
    /// There is no such passkey or key.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// No passkey is registered.
    #[error("no passkey is registered; register one")]
    NotRegistered,
    /// The answer of the passkey does not hold.
    #[error("the answer of the passkey does not hold; begin again, and confirm with your passkey")]
    NotVerified,
    /// The body is longer than anything that is asked.
    #[error("the body is longer than 64 KiB")]
    TooLong,
    /// Too many answers did not hold.
    #[error("too many answers did not hold; wait a quarter of an hour")]
    TooManyAttempts,
    /// Nobody said who asks.
    #[error("this request is of no client that is known; send the client's key")]
    Unauthenticated,
    /// There is no such ceremony, it is over, or it was begun for something else.
    #[error("this ceremony is over, or was for something else; begin again")]
    UnknownCeremony,
}

impl Refusal {
    /// The name in an audit trail.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::AlreadyRegistered => "already-registered",
            Self::Ambiguous => "ambiguous",
            Self::Busy => "busy",
            Self::CarriesSecret => "carries-secret",
            Self::Conflict => "conflict",
            Self::Failed(_) => "failed",
            Self::ForeignRelyingParty => "foreign-relying-party",
            Self::LastHolder => "last-holder",
            Self::LimitReached(_) => "limit-reached",
            Self::Malformed(_) => "malformed",
            Self::NotAllowed => "not-allowed",
            Self::NotFound(_) => "not-found",
            Self::NotRegistered => "not-registered",
            Self::NotVerified => "not-verified",
            Self::TooLong => "too-long",
            Self::TooManyAttempts => "too-many-attempts",
            Self::Unauthenticated => "unauthenticated",
            Self::UnknownCeremony => "unknown-ceremony",
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
