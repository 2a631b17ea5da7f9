//! Why a request brought no answer, by Google's guide "Resolve errors".

use std::time::Duration;

use backup_core::Error;
use serde::Deserialize;

use crate::{DriveProblem, problem::unreadable};

/// Why a request brought no answer.
pub(crate) enum Failure {
    /// There is no such file, or the app may not see it.
    NotFound,
    /// A file has this id already.
    Exists,
    /// The token is not taken any more.
    TokenRefused,
    /// The token does not allow this.
    ScopeMissing,
    /// More bytes than were to be read.
    TooLong,
    /// The same request may succeed later.
    Passing {
        error: Error,
        retry_after: Option<Duration>,
    },
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let refused = |status, reason: &str| {
            DriveProblem::Refused { status, reason: reason.to_owned() }.into()
        };
        match failure {
            Failure::NotFound => refused(404, "notFound"),
            Failure::Exists => refused(409, "exists"),
            Failure::TokenRefused | Failure::ScopeMissing => DriveProblem::SignInNeeded.into(),
            Failure::TooLong => unreadable(),
            Failure::Passing { error, .. } | Failure::Final(error) => error,
        }
    }
}

/// What a status and the body beside it mean.
pub(crate) fn refusal(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Failure {
    let reason = reason(body);
    let busy =
        || Failure::Passing { error: DriveProblem::Busy { retry_after }.into(), retry_after };
    let problem = match (status, reason.as_str()) {
        (404, "notFound") => return Failure::NotFound,
        (409, _) => return Failure::Exists,
        // Not Drive's own word: something on the way does not find Drive.
        (404, _) => return busy(),
        (401, _) => return Failure::TokenRefused,
        (403, reason) if MISSING_SCOPE.contains(&reason) => return Failure::ScopeMissing,
        (403, reason) if TOO_FAST.contains(&reason) => return busy(),
        (408 | 429 | 500..=599, _) => return busy(),
        (403, reason) if reason.ends_with("uotaExceeded") => DriveProblem::Full,
        (403, "dailyLimitExceeded") => DriveProblem::Busy { retry_after },
        (403, "accessNotConfigured" | "domainPolicy") => DriveProblem::AppRefused { reason },
        _ => DriveProblem::Refused { status, reason },
    };
    Failure::Final(problem.into())
}

const MISSING_SCOPE: &[&str] =
    &["ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions", "insufficientScopes"];
const TOO_FAST: &[&str] =
    &["rateLimitExceeded", "sharingRateLimitExceeded", "userRateLimitExceeded"];

#[derive(Deserialize)]
struct Answer {
    error: Details,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    reason: String,
}

/// Google's word for it. Anything but a word is not repeated: it may hold what was sent.
fn reason(body: &[u8]) -> String {
    let answer: Option<Answer> = serde_json::from_slice(body).ok();
    let reason = answer.and_then(|answer| answer.error.errors.into_iter().next());
    let is_word = |word: &String| {
        word.len() <= 64 && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    reason.map(|Reason { reason }| reason).filter(is_word).unwrap_or_else(|| "unknown".to_owned())
}
