//! Why a call brought no result, by the chapter "Error Codes" of Apple's reference.

use std::time::Duration;

use backup_core::{Error, ErrorKind};
use serde::Deserialize;

use crate::{ICloudProblem, http::Reply};

/// Why a call brought no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody is signed in, or the token is not taken.
    SignIn {
        /// Apple's page for it, if it was named.
        page: Option<String>,
        /// Whether a token was looked at, that of the user or that of the app.
        was_refused: bool,
    },
    /// A record has this name already.
    Exists,
    NotFound,
    NoZone,
    /// The same call may succeed later.
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
        let refused = |reason: &str| ICloudProblem::Refused { reason: reason.to_owned() }.into();
        match failure {
            Failure::SignIn { .. } => ICloudProblem::SignInNeeded.into(),
            Failure::Exists => refused("EXISTS"),
            Failure::NotFound => refused("NOT_FOUND"),
            Failure::NoZone => refused("ZONE_NOT_FOUND"),
            Failure::Passing { error, .. } | Failure::Final(error) => error,
        }
    }
}

/// An error dictionary: of a whole call, or of one of its records or zones.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refusal {
    server_error_code: String,
    /// Seconds.
    retry_after: Option<f64>,
    #[serde(rename = "redirectURL")]
    redirect_url: Option<String>,
}

impl Refusal {
    /// What a record's own error dictionary says.
    pub(crate) fn new(server_error_code: String, retry_after: Option<f64>) -> Self {
        Self { server_error_code, retry_after, redirect_url: None }
    }

    fn retry_after(&self) -> Option<Duration> {
        let seconds = self.retry_after?;
        Duration::try_from_secs_f64(seconds.clamp(0.0, 1e9)).ok()
    }

    /// What the code means. Of codes that are not in the reference, some stand in its description
    /// of the native interface, or were seen.
    pub(crate) fn into_failure(self, header: Option<Duration>) -> Failure {
        let retry_after = self.retry_after().or(header);
        let reason = word(self.server_error_code);
        let problem = match reason.as_str() {
            "AUTHENTICATION_REQUIRED" => {
                return Failure::SignIn { page: self.redirect_url, was_refused: false };
            }
            "AUTHENTICATION_FAILED" | "SIGN_IN_FAILED" => {
                return Failure::SignIn { page: None, was_refused: true };
            }
            "EXISTS" | "CONFLICT" | "SERVER_RECORD_CHANGED" => return Failure::Exists,
            "NOT_FOUND" => return Failure::NotFound,
            "ZONE_NOT_FOUND" => return Failure::NoZone,
            "THROTTLED" | "TRY_AGAIN_LATER" | "ZONE_BUSY" | "INTERNAL_ERROR" => {
                let error = ICloudProblem::Busy { retry_after }.into();
                return Failure::Passing { error, retry_after };
            }
            "QUOTA_EXCEEDED" => ICloudProblem::Full,
            "ACCESS_DENIED" | "BAD_REQUEST" => ICloudProblem::AppRefused { reason },
            _ => ICloudProblem::Refused { reason },
        };
        Failure::Final(problem.into())
    }
}

/// Apple's word for it. Anything but a word is not repeated: it may hold what was sent.
fn word(code: String) -> String {
    let is_word = code.len() <= 64 && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    if is_word && !code.is_empty() { code } else { "UNKNOWN".to_owned() }
}

/// What a reply that is no success means. Without a code of Apple's it says nothing about what is
/// kept.
pub(crate) fn refusal(reply: &Reply) -> Failure {
    let retry_after = reply.retry_after;
    if let Ok(refusal) = serde_json::from_slice::<Refusal>(&reply.body) {
        return refusal.into_failure(retry_after);
    }
    match reply.status {
        408 | 429 | 500..=599 => {
            let error = ICloudProblem::Busy { retry_after }.into();
            Failure::Passing { error, retry_after }
        }
        _ => Failure::Final(unreadable()),
    }
}

/// Apple does not answer.
pub(crate) fn unreachable() -> Error {
    let message = "iCloud does not answer; check the connection and try again";
    Error::new(ErrorKind::Unavailable, message)
}

/// What no server of Apple's answers.
pub(crate) fn unreadable() -> Error {
    let message = "the answer is not one of iCloud; check the connection and try again";
    Error::new(ErrorKind::Unavailable, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    use super::*;

    fn meant(status: u16, body: &[u8]) -> Failure {
        let body = Zeroizing::new(body.to_vec());
        refusal(&Reply { status, retry_after: None, body })
    }

    fn says_what_is_kept(failure: &Failure) -> bool {
        matches!(failure, Failure::Exists | Failure::NotFound | Failure::NoZone)
    }

    proptest! {
        #[test]
        fn bytes_of_strangers_say_nothing_about_what_is_kept(
            status in 300u16..600,
            body in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            prop_assert!(!says_what_is_kept(&meant(status, &body)));
        }

        #[test]
        fn no_code_and_no_wait_of_a_stranger_gets_into_an_error(
            status in 300u16..600,
            code in "[a-z0-9 +/=:.]{1,80}",
            wait in any::<f64>().prop_filter("JSON has no others", |wait| wait.is_finite()),
        ) {
            let body = serde_json::json!({"serverErrorCode": code, "retryAfter": wait});
            let failure = meant(status, body.to_string().as_bytes());
            prop_assert!(!says_what_is_kept(&failure));
            let Failure::Final(error) = failure else { panic!("{failure:?}") };
            let reason = "UNKNOWN".to_owned();
            prop_assert_eq!(ICloudProblem::of(&error), Some(&ICloudProblem::Refused { reason }));
        }
    }
}
