//! Signing in by the browser of the system, which comes back to a port of this machine (RFC 8252).

use std::{fmt, io, time::Duration};

use backup_core::{Error, ErrorKind, Result, async_trait};
use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};
use zeroize::Zeroizing;

use crate::{
    DriveProblem, Scope,
    oauth::{Granted, OAuth, declined},
};

/// Shows a page to the user.
#[async_trait]
pub trait Browser: fmt::Debug + Send + Sync {
    /// Opens `url`, which is Google's, in the browser that the user signs in with, and returns.
    /// Not in a view of the app's own: Google refuses those.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if there is no browser,
    /// [`ErrorKind::Cancelled`] if the user does not want to.
    async fn open(&self, url: &str) -> Result<()>;
}

/// The browser that the system opens addresses with.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemBrowser;

#[async_trait]
impl Browser for SystemBrowser {
    async fn open(&self, url: &str) -> Result<()> {
        let url = url.to_owned();
        blocking::unblock(move || open::that_detached(url)).await.map_err(|_| {
            let message = "no browser opens on this device; sign in by a code";
            Error::new(ErrorKind::Unsupported, message)
        })
    }
}

/// Asks the user by `browser` to agree to `scope`.
///
/// A page that the user has open elsewhere can send its own code to the port: the state tells it
/// from ours. A program that reads the code cannot use it without the verifier (PKCE).
pub(super) async fn sign_in(
    oauth: &OAuth,
    scope: Scope,
    browser: &dyn Browser,
    time_limit: Duration,
) -> Result<Granted> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|_| no_port())?;
    let port = listener.local_addr().map_err(|_| no_port())?.port();
    let redirect = format!("http://127.0.0.1:{port}");
    let (state, verifier) = (random()?, random()?);
    let challenge = Base64UrlUnpadded::encode_string(&Sha256::digest(verifier.as_bytes()));
    let url = oauth.authorize_url(&[
        ("redirect_uri", &redirect),
        ("scope", scope.as_str()),
        ("state", &state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("access_type", "offline"),
        ("prompt", "consent"),
    ]);
    browser.open(&url).await?;
    let code = timeout(time_limit, code(&listener, &state)).await.map_err(|_| {
        let message = "nobody signed in to Google in time; nothing was changed";
        Error::new(ErrorKind::Cancelled, message)
    })??;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", &redirect),
        ("code_verifier", &verifier),
    ];
    Ok(oauth.token(&form).await?)
}

/// 256 random bits, in characters that need no escapes.
fn random() -> Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut bytes[..]).map_err(|_| {
        Error::new(ErrorKind::Unavailable, "the operating system has no randomness to give")
    })?;
    Ok(Zeroizing::new(Base64UrlUnpadded::encode_string(&bytes[..])))
}

fn no_port() -> Error {
    let message = "the system gives no port for the browser to come back to; sign in by a code";
    Error::new(ErrorKind::Unsupported, message)
}

/// Waits for the request that carries our state. Browsers open connections that they do not use,
/// so one does not keep another waiting.
async fn code(listener: &TcpListener, state: &str) -> Result<Zeroizing<String>> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            connection = listener.accept(), if connections.len() < MAX_CONNECTIONS => {
                let Ok((connection, _)) = connection else { continue };
                let state = Zeroizing::new(state.to_owned());
                connections.spawn(async move {
                    timeout(LONGEST_REQUEST, answer(connection, &state)).await
                });
            }
            Some(done) = connections.join_next() => {
                if let Ok(Ok(Ok(Some(back)))) = done {
                    return back;
                }
            }
        }
    }
}

const MAX_CONNECTIONS: usize = 32;
const LONGEST_REQUEST: Duration = Duration::from_secs(10);
const LONGEST_HEAD: usize = 8 * 1024;

/// What a browser brought back: a code, or that the user declined.
type Back = Result<Zeroizing<String>>;

async fn answer(mut connection: TcpStream, state: &str) -> io::Result<Option<Back>> {
    let head = head(&mut connection).await?;
    let back = brought_back(&head, state);
    let (status, text) = match &back {
        None => ("400 Bad Request", "This page is of no use."),
        Some(Ok(_)) => ("200 OK", "You are signed in. Close this page and go back to the app."),
        Some(Err(_)) => {
            ("200 OK", "You are not signed in. Close this page and go back to the app.")
        }
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    // What was brought back counts, whether or not the browser waits for the page.
    let _ = connection.write_all(answer.as_bytes()).await;
    let _ = connection.shutdown().await;
    Ok(back)
}

/// The request up to its empty line.
async fn head(connection: &mut TcpStream) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut head = Zeroizing::new(Vec::with_capacity(LONGEST_HEAD));
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() == LONGEST_HEAD || connection.read_buf(&mut *head).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(head)
}

/// What a request brings back, if it carries our state.
fn brought_back(head: &[u8], state: &str) -> Option<Back> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let target = std::str::from_utf8(line).ok()?.strip_prefix("GET /?")?;
    let query = target.strip_suffix(" HTTP/1.1")?;
    let only = |wanted: &str| {
        let mut found = form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| name == wanted)
            .map(|(_, value)| Zeroizing::new(value.into_owned()));
        found.next().filter(|_| found.next().is_none())
    };
    if !bool::from(only("state")?.as_bytes().ct_eq(state.as_bytes())) {
        return None;
    }
    if let Some(code) = only("code") {
        return Some(Ok(code));
    }
    let reason = only("error")?;
    let is_word = reason.len() <= 64 && reason.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let reason = if is_word { reason.to_string() } else { "unknown".to_owned() };
    Some(Err(match reason.as_str() {
        "access_denied" => declined(),
        _ => DriveProblem::AppRefused { reason }.into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_request_with_our_state_brings_anything_back() {
        let strangers = [
            "GET /?code=c HTTP/1.1\r\n\r\n",
            "GET /?code=c&state= HTTP/1.1\r\n\r\n",
            "GET /?code=c&state=other HTTP/1.1\r\n\r\n",
            "GET /?code=c&state=ours&state=ours HTTP/1.1\r\n\r\n",
            "GET /elsewhere?code=c&state=ours HTTP/1.1\r\n\r\n",
            "POST /?code=c&state=ours HTTP/1.1\r\n\r\n",
            "GET /?state=ours HTTP/1.1\r\n\r\n",
            "GET /favicon.ico HTTP/1.1\r\n\r\n",
            "",
        ];
        for head in strangers {
            assert!(brought_back(head.as_bytes(), "ours").is_none(), "{head}");
        }
        let ours = b"GET /?state=ours&code=4%2Fc&scope=x HTTP/1.1\r\nHost: h\r\n\r\n";
        assert_eq!(brought_back(ours, "ours").unwrap().unwrap().as_str(), "4/c");
    }

    #[test]
    fn a_user_who_declines_is_told_from_a_server_that_refuses() {
        let back = |reason: &str| {
            let head = format!("GET /?error={reason}&state=ours HTTP/1.1\r\n\r\n");
            brought_back(head.as_bytes(), "ours").unwrap().unwrap_err().kind()
        };
        assert_eq!(back("access_denied"), ErrorKind::Cancelled);
        assert_eq!(back("invalid_scope"), ErrorKind::Unsupported);
    }
}
