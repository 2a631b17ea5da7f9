//! A port of this machine, to which a page in the browser brings one secret back (RFC 8252).

use std::{fmt, io, time::Duration};

use backup_core::{Error, ErrorKind, Result};
use base64ct::{Base64UrlUnpadded, Encoding};
use subtle::ConstantTimeEq;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};
use zeroize::Zeroizing;

/// A port, and the state that tells what our page brings from what others bring.
///
/// A page that the user has open elsewhere can send its own code or token to the port: it does not
/// know the state.
pub struct Loopback {
    listener: TcpListener,
    port: u16,
    state: Zeroizing<String>,
    by: By,
    closing: Closing,
}

/// What the browser shows in the end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "it went well, or it did not")]
pub struct Closing {
    /// Something was brought.
    pub done: &'static str,
    /// It was brought that there is nothing.
    pub failed: &'static str,
}

impl Closing {
    /// After signing in.
    pub const SIGN_IN: Self = Self {
        done: "You are signed in. Close this page and go back to the app.",
        failed: "You are not signed in. Close this page and go back to the app.",
    };
}

/// How the page brings it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a browser has no other way")]
pub enum By {
    /// In the address that the browser is sent to.
    Address,
    /// In a form that the page posts: then it is in no history.
    Form,
}

/// What came back with our state.
pub struct Brought(Vec<(String, Zeroizing<String>)>);

/// What a page brought back: a secret, or why there is none.
type Back = Result<Zeroizing<String>>;

impl Loopback {
    /// Takes a free port, and a state for this one time.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if the system gives no port.
    pub async fn bind(by: By, closing: Closing) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|_| no_port())?;
        let port = listener.local_addr().map_err(|_| no_port())?.port();
        Ok(Self { listener, port, state: random_text()?, by, closing })
    }

    /// Where the page comes back to, on `127.0.0.1`.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the page has to bring along as `state`: 256 random bits.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Waits for what carries our state, and in which `find` finds something.
    ///
    /// Browsers open connections that they do not use, so one does not keep another waiting.
    ///
    /// # Errors
    ///
    /// What `find` found to be one; [`ErrorKind::Cancelled`] if nothing came in time.
    pub async fn wait(self, find: fn(&Brought) -> Option<Back>, time_limit: Duration) -> Back {
        timeout(time_limit, self.brought(find)).await.unwrap_or_else(|_| {
            let message = "nobody signed in in time; nothing was changed";
            Err(Error::new(ErrorKind::Cancelled, message))
        })
    }

    async fn brought(self, find: fn(&Brought) -> Option<Back>) -> Back {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                connection = self.listener.accept(), if connections.len() < MAX_CONNECTIONS => {
                    let Ok((connection, _)) = connection else { continue };
                    let (state, by, closing) = (self.state.clone(), self.by, self.closing);
                    let answer =
                        async move { answer(connection, (by, &state), closing, find).await };
                    connections.spawn(timeout(LONGEST_REQUEST, answer));
                }
                Some(done) = connections.join_next() => {
                    if let Ok(Ok(Ok(Some(back)))) = done {
                        return back;
                    }
                }
            }
        }
    }
}

impl Brought {
    /// What stands under `name`, if that is there once.
    #[must_use]
    pub fn only(&self, name: &str) -> Option<Zeroizing<String>> {
        let mut found = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value);
        found.next().filter(|_| found.next().is_none()).cloned()
    }
}

impl fmt::Debug for Brought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Brought([REDACTED])")
    }
}

impl fmt::Debug for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loopback").field("port", &self.port).finish_non_exhaustive()
    }
}

/// 256 random bits, in characters that need no escapes.
///
/// # Errors
///
/// [`ErrorKind::Unavailable`] if the operating system has none.
pub fn random_text() -> Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut bytes[..]).map_err(|_| {
        Error::new(ErrorKind::Unavailable, "the operating system has no randomness to give")
    })?;
    Ok(Zeroizing::new(Base64UrlUnpadded::encode_string(&bytes[..])))
}

const MAX_CONNECTIONS: usize = 32;
const LONGEST_REQUEST: Duration = Duration::from_secs(10);
const MAX_REQUEST: usize = 32 * 1024;

fn no_port() -> Error {
    let message = "the system gives no port for the browser to come back to";
    Error::new(ErrorKind::Unsupported, message)
}

async fn answer(
    mut connection: TcpStream,
    (by, state): (By, &str),
    closing: Closing,
    find: fn(&Brought) -> Option<Back>,
) -> io::Result<Option<Back>> {
    let request = request(&mut connection).await?;
    let back = brought(&request, by, state).as_ref().and_then(find);
    let (status, text) = match &back {
        None => ("400 Bad Request", "This page is of no use."),
        Some(Ok(_)) => ("200 OK", closing.done),
        Some(Err(_)) => ("200 OK", closing.failed),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    // What was brought counts, whether or not the browser waits for the page.
    let _ = connection.write_all(answer.as_bytes()).await;
    let _ = connection.shutdown().await;
    Ok(back)
}

/// A request with as much of a body as it announces.
async fn request(connection: &mut TcpStream) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut request = Zeroizing::new(Vec::with_capacity(MAX_REQUEST));
    while !is_whole(&request) {
        if request.len() == MAX_REQUEST || connection.read_buf(&mut *request).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(request)
}

fn is_whole(request: &[u8]) -> bool {
    split(request).is_some_and(|(head, body)| body.len() >= announced(head).unwrap_or(0))
}

/// Head and body.
fn split(request: &[u8]) -> Option<(&str, &[u8])> {
    let end = request.windows(4).position(|end| end == b"\r\n\r\n")?;
    Some((std::str::from_utf8(&request[..end]).ok()?, &request[end + 4..]))
}

/// `Content-Length`, in bytes.
fn announced(head: &str) -> Option<usize> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = fields.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next()?.1.trim().parse().ok()
}

/// What a request brings, if it carries our state.
fn brought(request: &[u8], by: By, state: &str) -> Option<Brought> {
    let (head, body) = split(request)?;
    let line = head.lines().next()?;
    let encoded = match by {
        By::Address => line.strip_prefix("GET /?")?.strip_suffix(" HTTP/1.1")?.as_bytes(),
        By::Form if line == "POST / HTTP/1.1" => &body[..announced(head)?.min(body.len())],
        By::Form => return None,
    };
    let parameters = form_urlencoded::parse(encoded)
        .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())));
    let brought = Brought(parameters.collect());
    let is_ours = bool::from(brought.only("state")?.as_bytes().ct_eq(state.as_bytes()));
    is_ours.then_some(brought)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(form: &str) -> String {
        format!("POST / HTTP/1.1\r\nHost: h\r\ncontent-length: {}\r\n\r\n{form}", form.len())
    }

    fn token(request: &str, by: By) -> Option<Zeroizing<String>> {
        brought(request.as_bytes(), by, "ours")?.only("token")
    }

    #[test]
    fn only_a_form_with_our_state_brings_anything_back() {
        let strangers = [
            post("token=t"),
            post("token=t&state="),
            post("token=t&state=other"),
            post("token=t&state=ours&state=ours"),
            post("token=t&token=u&state=ours"),
            post("state=ours"),
            post("token=t&state=ours").replace("POST /", "POST /elsewhere"),
            post("token=t&state=ours").replace("POST /", "PUT /"),
            "GET /?token=t&state=ours HTTP/1.1\r\n\r\n".to_owned(),
            "POST / HTTP/1.1\r\n\r\ntoken=t&state=ours".to_owned(),
            String::new(),
        ];
        for request in strangers {
            assert!(token(&request, By::Form).is_none(), "{request}");
        }
        let ours = post("state=ours&token=4%2Fc%2B%3D");
        assert_eq!(token(&ours, By::Form).unwrap().as_str(), "4/c+=");
    }

    #[test]
    fn only_an_address_with_our_state_brings_anything_back() {
        let strangers = [
            "GET /?token=t HTTP/1.1\r\n\r\n",
            "GET /?token=t&state= HTTP/1.1\r\n\r\n",
            "GET /?token=t&state=other HTTP/1.1\r\n\r\n",
            "GET /?token=t&state=ours&state=ours HTTP/1.1\r\n\r\n",
            "GET /elsewhere?token=t&state=ours HTTP/1.1\r\n\r\n",
            "POST /?token=t&state=ours HTTP/1.1\r\n\r\n",
            "GET /?state=ours HTTP/1.1\r\n\r\n",
            "GET /favicon.ico HTTP/1.1\r\n\r\n",
            "",
        ];
        for request in strangers.map(str::to_owned).into_iter().chain([post("token=t&state=ours")])
        {
            assert!(token(&request, By::Address).is_none(), "{request}");
        }
        let ours = "GET /?state=ours&token=4%2Fc&scope=x HTTP/1.1\r\nHost: h\r\n\r\n";
        assert_eq!(token(ours, By::Address).unwrap().as_str(), "4/c");
    }

    #[test]
    fn a_request_is_read_to_the_end_that_it_announces() {
        let whole = post("state=ours&token=t");
        for len in 0..whole.len() {
            assert!(!is_whole(&whole.as_bytes()[..len]), "{len}");
        }
        assert!(is_whole(whole.as_bytes()));
    }
}
