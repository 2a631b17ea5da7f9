//! How a provider's server is reached, and what counts as its answer.

use std::time::{Duration, SystemTime};

use backup_core::{Error, ErrorKind, Result};
use reqwest::{
    Client, Response, Url,
    header::{HeaderMap, RETRY_AFTER},
    redirect::Policy,
};
use zeroize::Zeroizing;

/// A client that keeps tokens on the way to `server`: over TLS, or on this machine, and nowhere
/// that an answer leads it.
///
/// # Errors
///
/// [`ErrorKind::Unsupported`] if the device cannot speak HTTPS.
pub fn client(server: &Url) -> Result<Client> {
    let is_plain = server.scheme() == "http";
    let builder = Client::builder()
        .redirect(Policy::none())
        .https_only(!is_plain)
        .timeout(Duration::from_secs(20))
        .connect_timeout(Duration::from_secs(5))
        .user_agent(concat!("portal-backup/", env!("CARGO_PKG_VERSION")));
    // What is on this machine is not reached by way of another.
    let builder = if is_plain { builder.no_proxy() } else { builder };
    builder
        .build()
        .map_err(|_| Error::new(ErrorKind::Unsupported, "HTTPS cannot be set up on this device"))
}

/// An address that a token may be sent to.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] if `address` is neither one of HTTPS nor one of this machine.
pub fn server(address: &str) -> Result<Url> {
    let url = Url::parse(address).ok().filter(|url| {
        let is_here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        url.scheme() == "https" || url.scheme() == "http" && is_here
    });
    url.ok_or_else(|| {
        let message = "the address must begin with https://, or be of this machine";
        Error::new(ErrorKind::InvalidInput, message)
    })
}

/// Why there is no whole answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a body ends early, late or where it should")]
pub enum NoAnswer {
    /// The connection ended before the answer did.
    CutShort,
    /// It goes on beyond what was to be read.
    TooLong,
}

/// The body of an answer: neither more than `max_len` bytes nor fewer than were announced.
///
/// # Errors
///
/// If it is not so.
pub async fn read(response: &mut Response, max_len: usize) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
    let mut body = Zeroizing::new(Vec::with_capacity(max_len.min(8 * 1024)));
    while let Some(chunk) = response.chunk().await.map_err(|_| NoAnswer::CutShort)? {
        if body.len() + chunk.len() > max_len {
            return Err(NoAnswer::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What a server says to wait: seconds, or until a date (RFC 9110, 10.2.3).
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn tokens_go_over_tls_or_to_this_machine() {
        for address in
            ["https://a.example", "http://127.0.0.1:1", "http://[::1]/", "http://localhost"]
        {
            server(address).unwrap();
        }
        for address in
            ["http://a.example", "http://127.0.0.1.example", "file:///a", "a.example", ""]
        {
            let error = server(address).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{address}");
        }
    }

    #[test]
    fn a_wait_is_seconds_or_a_date_and_nothing_else() {
        let said = |value: &'static str| {
            retry_after(&[(RETRY_AFTER, HeaderValue::from_static(value))].into_iter().collect())
        };
        assert_eq!(said("7"), Some(Duration::from_secs(7)));
        assert_eq!(said("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert!(said("Fri, 31 Dec 2100 23:59:59 GMT") > Some(Duration::from_secs(1)));
        for value in ["soon", "-1", "1.5", ""] {
            assert_eq!(said(value), None, "{value}");
        }
    }
}
