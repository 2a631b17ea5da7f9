//! What can be wrong with a webhook. None of it quotes what the webhook has said.

/// Why a webhook did not do what it was asked for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Failure {
    /// It may not be asked.
    #[error("its URL is not allowed: {0}")]
    Url(&'static str),
    /// Its name leads to no address at which it may be asked.
    #[error("its address is not a public one, or it has none")]
    Address,
    /// There is no connection.
    #[error("it cannot be reached: {0}")]
    Unreachable(&'static str),
    /// It takes too long.
    #[error("it did not answer within 10 seconds in all")]
    Late,
    /// It sends its callers elsewhere.
    #[error("it redirects, which is not followed: register where it is")]
    Redirected,
    /// It says no.
    #[error("it answered with status {0}")]
    Refused(u16),
    /// It says too much.
    #[error("its answer is too long")]
    TooLong,
    /// It says something else than was asked for.
    #[error("its answer to /backup/fetch is not {{backupShares: [...]}}")]
    Unreadable,
    /// It has not kept what it was given now.
    #[error("what was posted does not come back from /backup/fetch")]
    NotKept,
    /// It has lost what it was given before.
    #[error("the half of an earlier pair does not come back from /backup/fetch")]
    Lost,
    /// It keeps one of two.
    #[error("it does not keep the halves of two pairs of one client and method side by side")]
    Overwritten,
}

impl Failure {
    /// Each [`label`](Self::label) that there is.
    pub(crate) const LABELS: [&str; 6] =
        ["address", "unreachable", "late", "refused", "unreadable", "lost"];

    /// A name for it that is in the description of the metrics.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::Url(_) | Self::Address => "address",
            Self::Unreachable(_) => "unreachable",
            Self::Late => "late",
            Self::Redirected | Self::Refused(_) => "refused",
            Self::TooLong | Self::Unreadable => "unreadable",
            Self::NotKept | Self::Lost | Self::Overwritten => "lost",
        }
    }
}
