//! One request to Apple and its answer, and how long to wait between two.

use std::time::{Duration, Instant, SystemTime};

use backup_core::{Error, ErrorKind, Result};
use bytes::Bytes;
use reqwest::{
    Client, Response, Url,
    header::{self, HeaderMap},
    redirect::Policy,
};
use zeroize::Zeroizing;

use crate::{Container, WebAuthToken};

/// One call.
#[derive(Debug)]
pub(crate) struct Request {
    /// The database and what is done there: `private/records/modify`.
    pub(crate) operation: &'static str,
    /// A dictionary. Without one, something is only read.
    pub(crate) body: Option<Bytes>,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// What came back, whole or not, and the token that is good from now on.
pub(crate) struct Exchange {
    pub(crate) next: Option<WebAuthToken>,
    pub(crate) reply: Result<Reply, NoAnswer>,
}

/// Why there is no whole answer.
pub(crate) enum NoAnswer {
    CutShort,
    TooLong,
}

/// Where Apple's answers carry the next token. The reference says that they do, and not where.
const NEXT_TOKEN: &str = "x-apple-cloudkit-web-auth-token";
/// The longest answer: a page of 200 records, each a name and a version, is a tenth of it.
const MAX_ANSWER: usize = 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    container: Container,
}

impl Http {
    pub(crate) fn new(container: Container) -> Result<Self> {
        Ok(Self { client: client(container.server())?, container })
    }

    /// Sends a request once. No cause of a failure is kept: it would hold the address, and that
    /// the token.
    pub(crate) async fn send(&self, request: &Request, token: Option<&WebAuthToken>) -> Exchange {
        let mut url = self.container.url(request.operation);
        if let Some(token) = token {
            url.query_pairs_mut().append_pair("ckWebAuthToken", token.expose());
        }
        let builder = match &request.body {
            Some(body) => self.client.post(url).body(body.clone()),
            None => self.client.get(url),
        };
        match builder.header(header::CONTENT_TYPE, "application/json").send().await {
            Ok(response) => exchange(response).await,
            Err(_) => Exchange { next: None, reply: Err(NoAnswer::CutShort) },
        }
    }
}

/// The next token counts even if the rest of the answer is lost.
async fn exchange(mut response: Response) -> Exchange {
    let next = next_token(response.headers());
    let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers()));
    let body = read(&mut response, MAX_ANSWER).await;
    Exchange { next, reply: body.map(|body| Reply { status, retry_after, body }) }
}

fn next_token(headers: &HeaderMap) -> Option<WebAuthToken> {
    WebAuthToken::new(headers.get(NEXT_TOKEN)?.to_str().ok()?).ok()
}

/// A client that keeps tokens on the way to `server`: over TLS, or on this machine, and nowhere
/// that an answer leads it.
fn client(server: &Url) -> Result<Client> {
    let is_plain = server.scheme() == "http";
    let builder = Client::builder()
        .redirect(Policy::none())
        .https_only(!is_plain)
        .timeout(Duration::from_secs(20))
        .connect_timeout(Duration::from_secs(5))
        .user_agent(concat!("backup-methods-icloud/", env!("CARGO_PKG_VERSION")));
    // What is on this machine is not reached by way of another.
    let builder = if is_plain { builder.no_proxy() } else { builder };
    builder
        .build()
        .map_err(|_| Error::new(ErrorKind::Unsupported, "HTTPS cannot be set up on this device"))
}

/// Neither more than `max_len` bytes nor fewer than were announced.
async fn read(response: &mut Response, max_len: usize) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
    let mut body = Zeroizing::new(Vec::with_capacity(max_len.min(8 * 1024)));
    while let Some(chunk) = response.chunk().await.map_err(|_| NoAnswer::CutShort)? {
        if body.len() + chunk.len() > max_len {
            return Err(NoAnswer::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Seconds, or a date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
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
        let wait = at_least.unwrap_or(self.next).saturating_add(jitter(self.next));
        let left = self.until.saturating_duration_since(Instant::now());
        if wait > left {
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
