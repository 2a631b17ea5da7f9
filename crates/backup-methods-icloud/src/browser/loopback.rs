//! A port of this machine, to which a page in the browser brings one secret back.

use std::{io, time::Duration};

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

/// A port, and the state that tells what is brought by our page from what others bring.
pub(super) struct Loopback {
    listener: TcpListener,
    port: u16,
    state: Zeroizing<String>,
}

impl Loopback {
    pub(super) async fn bind() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|_| no_port())?;
        let port = listener.local_addr().map_err(|_| no_port())?.port();
        Ok(Self { listener, port, state: random()? })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// 256 random bits, for this one time.
    pub(super) fn state(&self) -> &str {
        &self.state
    }

    /// Waits for the form that carries our state, and gives what stands in it under `name`.
    ///
    /// Browsers open connections that they do not use, so one does not keep another waiting.
    pub(super) async fn wait(
        self,
        name: &'static str,
        time_limit: Duration,
    ) -> Result<Zeroizing<String>> {
        timeout(time_limit, self.brought(name)).await.map_err(|_| {
            let message = "nobody signed in in time; nothing was changed";
            Error::new(ErrorKind::Cancelled, message)
        })
    }

    async fn brought(self, name: &'static str) -> Zeroizing<String> {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                connection = self.listener.accept(), if connections.len() < MAX_CONNECTIONS => {
                    let Ok((connection, _)) = connection else { continue };
                    let state = self.state.clone();
                    connections.spawn(async move {
                        timeout(LONGEST_REQUEST, answer(connection, name, &state)).await
                    });
                }
                Some(done) = connections.join_next() => {
                    if let Ok(Ok(Ok(Some(value)))) = done {
                        return value;
                    }
                }
            }
        }
    }
}

const MAX_CONNECTIONS: usize = 32;
const LONGEST_REQUEST: Duration = Duration::from_secs(10);
const MAX_REQUEST: usize = 32 * 1024;

/// 256 random bits, in characters that need no escapes.
fn random() -> Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut bytes[..]).map_err(|_| {
        Error::new(ErrorKind::Unavailable, "the operating system has no randomness to give")
    })?;
    Ok(Zeroizing::new(Base64UrlUnpadded::encode_string(&bytes[..])))
}

fn no_port() -> Error {
    let message = "the system gives no port for the browser to come back to";
    Error::new(ErrorKind::Unsupported, message)
}

async fn answer(
    mut connection: TcpStream,
    name: &str,
    state: &str,
) -> io::Result<Option<Zeroizing<String>>> {
    let request = request(&mut connection).await?;
    let value = brought(&request, name, state);
    let (status, text) = match &value {
        None => ("400 Bad Request", "This page is of no use."),
        Some(_) => ("200 OK", "You are signed in. Close this page and go back to the app."),
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
    Ok(value)
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

/// What a form brings under `name`, if it carries our state.
fn brought(request: &[u8], name: &str, state: &str) -> Option<Zeroizing<String>> {
    let (head, body) = split(request)?;
    if head.lines().next()? != "POST / HTTP/1.1" {
        return None;
    }
    let form = &body[..announced(head)?.min(body.len())];
    let only = |wanted: &str| {
        let mut found = form_urlencoded::parse(form)
            .filter(|(name, _)| name == wanted)
            .map(|(_, value)| Zeroizing::new(value.into_owned()));
        found.next().filter(|_| found.next().is_none())
    };
    let is_ours = bool::from(only("state")?.as_bytes().ct_eq(state.as_bytes()));
    only(name).filter(|_| is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(form: &str) -> String {
        format!("POST / HTTP/1.1\r\nHost: h\r\ncontent-length: {}\r\n\r\n{form}", form.len())
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
            assert!(brought(request.as_bytes(), "token", "ours").is_none(), "{request}");
        }
        let ours = post("state=ours&token=4%2Fc%2B%3D");
        assert_eq!(brought(ours.as_bytes(), "token", "ours").unwrap().as_str(), "4/c+=");
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
