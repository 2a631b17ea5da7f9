//! How Google's servers are reached, for files and for tokens alike.

use std::time::{Duration, Instant};

use backup_core::{Error, ErrorKind, Result};
use reqwest::{Client, Response, Url, redirect::Policy};
use zeroize::Zeroizing;

/// A client that keeps tokens on the way to `server`: over TLS, or on this machine, and nowhere
/// that an answer leads it.
pub(crate) fn client(server: &Url) -> Result<Client> {
    let is_plain = server.scheme() == "http";
    let builder = Client::builder()
        .redirect(Policy::none())
        .https_only(!is_plain)
        .timeout(Duration::from_secs(20))
        .connect_timeout(Duration::from_secs(5))
        .user_agent(concat!("backup-methods-gdrive/", env!("CARGO_PKG_VERSION")));
    // What is on this machine is not reached by way of another.
    let builder = if is_plain { builder.no_proxy() } else { builder };
    builder
        .build()
        .map_err(|_| Error::new(ErrorKind::Unsupported, "HTTPS cannot be set up on this device"))
}

/// An address that a token may be sent to.
pub(crate) fn server(address: &str) -> Result<Url> {
    let url = Url::parse(address).ok().filter(|url| {
        let is_here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        url.scheme() == "https" || url.scheme() == "http" && is_here
    });
    url.ok_or_else(|| {
        let message = "the address of the server must begin with https://, or be of this machine";
        Error::new(ErrorKind::InvalidInput, message)
    })
}

/// Why there is no whole answer.
pub(crate) enum NoAnswer {
    CutShort,
    TooLong,
}

/// Neither more than `max_len` bytes nor fewer than were announced.
pub(crate) async fn read(
    response: &mut Response,
    max_len: usize,
) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
    let mut body = Zeroizing::new(Vec::with_capacity(max_len.min(8 * 1024)));
    while let Some(chunk) = response.chunk().await.map_err(|_| NoAnswer::CutShort)? {
        if body.len() + chunk.len() > max_len {
            return Err(NoAnswer::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The cause is not kept: it may hold the address that was asked.
pub(crate) fn unreachable() -> Error {
    let message = "Google does not answer; check the connection and try again";
    Error::new(ErrorKind::Unavailable, message)
}

/// What no server of Google's answers.
pub(crate) fn unreadable() -> Error {
    let message = "the answer is not one of Google; check the connection and try again";
    Error::new(ErrorKind::Unavailable, message)
}

/// How long to wait between attempts: twice as long each time, and some more, so that those who
/// failed together do not come back together.
pub(crate) struct Waits {
    until: Instant,
    next: Duration,
}

impl Waits {
    pub(crate) fn begin(patience: Duration) -> Self {
        Self { until: Instant::now() + patience, next: Duration::from_millis(250) }
    }

    /// Waits, or tells that there is no time left for it.
    pub(crate) async fn next(&mut self, at_least: Option<Duration>) -> bool {
        let wait = at_least.unwrap_or(self.next) + jitter(self.next);
        if Instant::now() + wait > self.until {
            return false;
        }
        tokio::time::sleep(wait).await;
        self.next = (self.next * 2).min(Duration::from_secs(8));
        true
    }
}

/// Up to a quarter.
fn jitter(of: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(0) % 256;
    of * random / 1024
}
