//! One request to an enclave and its answer.

use std::time::Duration;

use backup_cloud::{Waits, client, read, retry_after, server};
use backup_core::{
    Error, ErrorKind, Result,
    secrecy::{ExposeSecret, SecretString},
};
use bytes::Bytes;
use reqwest::{Client, RequestBuilder, Url, header};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::EnclaveProblem;

/// A service with an enclave, and the client's key for it.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    server: Url,
    key: SecretString,
    patience: Duration,
}

/// The longest answer: twenty passkeys, each with the names of a hundred keys.
const MAX_ANSWER: usize = 512 * 1024;

impl Http {
    pub(super) fn new(address: &str, key: SecretString) -> Result<Self> {
        let server = server(address)?;
        let client = client(&server)?;
        Ok(Self { client, server, key, patience: Duration::from_secs(30) })
    }

    pub(super) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Zeroizing<Vec<u8>>> {
        self.call(|| self.client.get(self.url(path))).await
    }

    pub(super) async fn post(&self, path: &str, body: Bytes) -> Result<Zeroizing<Vec<u8>>> {
        self.call(|| {
            let builder = self.client.post(self.url(path));
            builder.header(header::CONTENT_TYPE, "application/json").body(body.clone())
        })
        .await
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.server.clone();
        url.set_path(&format!("{}/passkeys{path}", self.server.path().trim_end_matches('/')));
        url
    }

    /// Sends a request until it is answered. All can be repeated: what begins a ceremony begins
    /// another one, and what ends one is refused the second time.
    async fn call(&self, request: impl Fn() -> RequestBuilder) -> Result<Zeroizing<Vec<u8>>> {
        let mut waits = Waits::begin(self.patience);
        loop {
            let failure = match self.send(request()).await {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            match failure {
                Failure::Passing { retry_after, .. } if waits.next(retry_after).await => {}
                Failure::Passing { error, .. } | Failure::Final(error) => return Err(error),
            }
        }
    }

    /// No cause of a failure is kept: it would hold the address.
    async fn send(&self, request: RequestBuilder) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let request = request.bearer_auth(self.key.expose_secret());
        let mut response = request.send().await.map_err(|_| no_answer())?;
        let (status, retry_after) = (response.status(), retry_after(response.headers()));
        let body = read(&mut response, MAX_ANSWER).await.map_err(|_| no_answer())?;
        if status.is_success() {
            Ok(body)
        } else {
            Err(refused(status.as_u16(), retry_after, &body))
        }
    }
}

enum Failure {
    /// The same request may succeed later.
    Passing {
        error: Error,
        retry_after: Option<Duration>,
    },
    Final(Error),
}

/// Portal's shape of an error, and `reason`, which is ours.
#[derive(Deserialize)]
struct Refusal {
    error: Reason,
}

#[derive(Deserialize)]
struct Reason {
    reason: Option<String>,
}

/// What an answer that is no success means. What has no `reason` is not the enclave's, but of what
/// is in front of it, and says nothing about passkeys and keys.
fn refused(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Failure {
    let reason = serde_json::from_slice(body).ok().and_then(|Refusal { error }| error.reason);
    let problem = match (reason.as_deref(), status) {
        (Some("foreign-relying-party"), _) => EnclaveProblem::ForeignRelyingParty,
        (Some("not-allowed"), _) => EnclaveProblem::NotAllowed,
        (Some("not-registered"), _) => EnclaveProblem::NoPasskey,
        (Some("not-verified"), _) => EnclaveProblem::NotVerified,
        (Some("unknown-ceremony"), _) => EnclaveProblem::Over,
        (Some("not-found"), _) => return Failure::Final(not_found()),
        (Some("conflict"), _) => return Failure::Final(conflict()),
        (Some("last-holder"), _) => return Failure::Final(last_holder()),
        (Some("limit-reached"), _) => return Failure::Final(limit_reached()),
        (_, 401) => EnclaveProblem::SignInNeeded,
        (_, 408 | 429 | 500..=599) => {
            let error = EnclaveProblem::Busy { retry_after }.into();
            return Failure::Passing { error, retry_after };
        }
        (reason, status) => {
            EnclaveProblem::Refused { reason: word(reason.unwrap_or_default(), status) }
        }
    };
    Failure::Final(problem.into())
}

/// The enclave's word, or the status. Anything but a word is not repeated: it may hold what was
/// sent.
fn word(reason: &str, status: u16) -> String {
    let is_word = (1..=64).contains(&reason.len())
        && reason.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if is_word { reason.to_owned() } else { format!("status {status}") }
}

fn no_answer() -> Failure {
    let message = "the passkey service does not answer; check the connection and try again";
    let error = Error::new(ErrorKind::Unavailable, message);
    Failure::Passing { error, retry_after: None }
}

/// What no enclave answers.
pub(super) fn unreadable() -> Error {
    let message = "the answer is not one of the passkey service; update the app, or try again";
    Error::new(ErrorKind::Unavailable, message)
}

fn not_found() -> Error {
    let message = "the passkey service does not have this key or passkey (any more)";
    Error::new(ErrorKind::NotFound, message)
}

fn conflict() -> Error {
    let message = "the passkey service keeps another key under this name, and that one stays";
    Error::new(ErrorKind::Conflict, message)
}

fn last_holder() -> Error {
    let message = "a backup would have no passkey left; add another one to it first";
    Error::new(ErrorKind::InvalidInput, message)
}

fn limit_reached() -> Error {
    let message = "the user has as many passkeys or backups here as there may be; remove some";
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn meant(status: u16, body: &[u8]) -> Error {
        match refused(status, None, body) {
            Failure::Passing { error, .. } | Failure::Final(error) => error,
        }
    }

    proptest! {
        #[test]
        fn bytes_of_strangers_say_nothing_about_what_is_kept(
            status in 300u16..600,
            body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let kind = meant(status, &body).kind();
            prop_assert!(!matches!(kind, ErrorKind::NotFound | ErrorKind::Conflict), "{kind:?}");
        }

        #[test]
        fn nothing_but_words_gets_into_an_error(reason in "[A-Z0-9 +/=:.]{1,80}") {
            let body = serde_json::json!({ "error": { "reason": reason } }).to_string();
            let error = meant(400, body.as_bytes());
            let problem = EnclaveProblem::of(&error);
            let reason = "status 400".to_owned();
            prop_assert_eq!(problem, Some(&EnclaveProblem::Refused { reason }));
        }
    }
}
