//! Sends a request until it is answered, and takes nothing that was cut short for an answer.

use std::time::Duration;

use portal_api::{DeviceKey, ErrorBody, ErrorId};
use reqwest::{
    Response, StatusCode, Version,
    header::{self, HeaderMap, HeaderValue},
    redirect::Policy,
};
use zeroize::Zeroizing;

use super::{
    request::{Request, SHORT},
    retry::Waits,
    url::ServiceUrl,
};
use crate::{
    ApiKey, Error, Result, TraceId,
    effect::{Effect, Effects},
};

/// How requests are sent.
#[derive(Clone, Debug)]
pub(crate) struct HttpOptions {
    /// How long one attempt may last.
    pub(crate) timeout: Duration,
    /// How long a request is repeated.
    pub(crate) patience: Duration,
    /// Whether a service on another machine may be asked without TLS.
    pub(crate) allows_plain: bool,
    pub(crate) effects: Effects,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            patience: Duration::from_secs(10),
            allows_plain: false,
            effects: Effects::default(),
        }
    }
}

/// A service, asked with one API key.
#[derive(Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    url: ServiceUrl,
    authorization: HeaderValue,
    /// What all requests are named; each by a name of its own, if there is none.
    trace: Option<TraceId>,
    options: HttpOptions,
}

/// Why an attempt brought no answer.
enum Failure {
    Final(Error),
    /// The same request may succeed later.
    Passing {
        error: Error,
        retry_after: Option<Duration>,
    },
}

impl Http {
    pub(crate) fn new(service: &str, key: &ApiKey, options: HttpOptions) -> Result<Self> {
        let url = ServiceUrl::parse(service, options.allows_plain)?;
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .http1_only()
            .https_only(!url.is_plain())
            .timeout(options.timeout)
            .connect_timeout(options.timeout.min(Duration::from_secs(5)))
            .user_agent(concat!("portal-client/", env!("CARGO_PKG_VERSION")));
        // What is on this machine is not reached by way of another.
        let builder = if url.is_plain() { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| {
            Error::InvalidInput(format!("HTTPS cannot be set up here: {}", cause(&error)))
        })?;
        Ok(Self { client, url, authorization: authorization(key)?, trace: None, options })
    }

    /// The same connections, for requests of this name.
    pub(crate) fn traced(&self, trace: TraceId) -> Self {
        Self {
            client: self.client.clone(),
            url: self.url.clone(),
            authorization: self.authorization.clone(),
            trace: Some(trace),
            options: self.options.clone(),
        }
    }

    /// Sends `request` until it is answered, refused, or `patience` is used up; the answer's body.
    pub(crate) async fn send(&self, request: &Request) -> Result<Zeroizing<Vec<u8>>> {
        let trace = self.trace.unwrap_or_else(TraceId::generate);
        let mut waits = Waits::begin(self.options.patience);
        loop {
            let (error, retry_after) = match self.attempt(request, trace).await {
                Ok(body) => return Ok(body),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing { error, retry_after }) => (error, retry_after),
            };
            match waits.next(retry_after) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(error),
            }
        }
    }

    async fn attempt(
        &self,
        request: &Request,
        trace: TraceId,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let (method, path) = (request.method.as_str(), request.path.as_str());
        self.tell(Effect::Send { method, path })?;
        let sent = self.build(request)?.header(TraceId::HEADER, trace.to_string()).send().await;
        let mut response = sent.map_err(|error| unreachable(&error))?;
        let body = read(&mut response, request.limit).await?;
        let status = response.status();
        self.tell(Effect::Received { method, path, status: status.as_u16() })?;
        if status.is_success() {
            return Ok(body);
        }
        Err(refusal(status, response.headers(), &body, trace))
    }

    fn tell(&self, effect: Effect<'_>) -> Result<(), Failure> {
        let told = self.options.effects.tell(effect);
        told.map_err(|error| Failure::Final(Error::Stopped(error)))
    }

    fn build(&self, request: &Request) -> Result<reqwest::RequestBuilder, Failure> {
        let url = self.url.join(&request.path).map_err(Failure::Final)?;
        let mut builder = self
            .client
            .request(request.method.clone(), url)
            .header(header::AUTHORIZATION, self.authorization.clone());
        if let Some(body) = &request.body {
            builder = builder
                .header(header::CONTENT_TYPE, body.media_type)
                .header("content-digest", &body.digest)
                .body(body.bytes.clone());
        }
        if let Some(signature) = &request.signature {
            builder = builder.header(DeviceKey::HEADER, signature);
        }
        Ok(builder)
    }
}

fn authorization(key: &ApiKey) -> Result<HeaderValue> {
    let value = Zeroizing::new(format!("Bearer {}", key.expose()));
    let mut value = HeaderValue::from_str(&value)
        .map_err(|_| Error::InvalidInput("the API key stands in no header".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The whole body, or a failure.
async fn read(response: &mut Response, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if !has_end(response) {
        return Err(passing(Error::Unreachable(
            "its answer has no end by which to know it".into(),
        )));
    }
    let limit = if response.status().is_success() { limit } else { limit.max(SHORT) };
    let mut body = Zeroizing::new(Vec::with_capacity(limit.min(CAPACITY)));
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + chunk.len() > limit {
            let error = format!("an answer is over {limit} bytes");
            return Err(Failure::Final(Error::UnexpectedAnswer(error)));
        }
        grow(&mut body, chunk.len());
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

const CAPACITY: usize = 16 * 1024;

/// Makes room, and leaves no copy of the old bytes behind.
fn grow(body: &mut Zeroizing<Vec<u8>>, more: usize) {
    let needed = body.len() + more;
    if needed > body.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two()));
        larger.extend_from_slice(body);
        *body = larger;
    }
}

/// Whether a connection that is cut can be told from the end of the answer (RFC 9112, section 6.3).
fn has_end(response: &Response) -> bool {
    let headers = response.headers();
    response.version() > Version::HTTP_11
        || response.status() == StatusCode::NO_CONTENT
        || headers.contains_key(header::CONTENT_LENGTH)
        || headers.contains_key(header::TRANSFER_ENCODING)
}

fn unreachable(error: &reqwest::Error) -> Failure {
    let described = Error::Unreachable(cause(error));
    if error.is_builder() { Failure::Final(described) } else { passing(described) }
}

fn passing(error: Error) -> Failure {
    Failure::Passing { error, retry_after: None }
}

/// The innermost cause, which names no address: that could hold ids of the app's users.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".into();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    printable(&cause.to_string())
}

fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8], trace: TraceId) -> Failure {
    let error = described(status, body, trace);
    let again = match &error {
        Error::Service { id: ErrorId::MessageMalformed, .. } | Error::InProgress => true,
        _ => matches!(status.as_u16(), 408 | 429 | 500 | 502..=504),
    };
    if !again {
        return Failure::Final(error);
    }
    let seconds =
        headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Failure::Passing { error, retry_after: seconds.map(Duration::from_secs) }
}

fn described(status: StatusCode, body: &[u8], trace: TraceId) -> Error {
    let Ok(ErrorBody { error }) = serde_json::from_slice(body) else {
        let what = format!("it, or something before it, answered with status {}", status.as_u16());
        return if status.is_server_error() {
            Error::Unreachable(what)
        } else {
            Error::UnexpectedAnswer(what)
        };
    };
    match error.id {
        ErrorId::SignShareMismatch => Error::NotLive,
        ErrorId::OperationInProgress => Error::InProgress,
        id => {
            let (status, message) = (status.as_u16(), printable(&error.message));
            Error::Service { id, status, message, trace }
        }
    }
}

/// What others wrote, short enough to show and without what steers a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(300).collect()
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(id: &str) -> String {
        format!(r#"{{"error":{{"id":"{id}","message":"look\u001b again","code":409}}}}"#)
    }

    fn is_passing(status: u16, body: &str) -> bool {
        let status = StatusCode::from_u16(status).unwrap();
        let refusal = refusal(status, &HeaderMap::new(), body.as_bytes(), TraceId::generate());
        matches!(refusal, Failure::Passing { .. })
    }

    #[test]
    fn what_may_succeed_later_is_repeated_and_a_decision_is_not() {
        for status in [429, 500, 502, 503, 504] {
            assert!(is_passing(status, "not from the service"), "{status}");
            assert!(is_passing(status, &body("ERROR")), "{status}");
        }
        assert!(is_passing(400, &body("WS_MSG_MALFORMED")));
        assert!(is_passing(409, &body("OPERATION_IN_PROGRESS")));
        for id in ["STATE_INVALID", "SIGN_SHARE_MISMATCH", "NOT_FOUND", "AUTH_FAILED", "NEW"] {
            assert!(!is_passing(409, &body(id)), "{id}");
        }
        assert!(!is_passing(302, ""), "a redirect is not followed");
    }

    #[test]
    fn the_service_is_obeyed_if_it_says_when_to_return() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("3"));
        let failure = refusal(StatusCode::TOO_MANY_REQUESTS, &headers, b"", TraceId::generate());
        let Failure::Passing { retry_after, .. } = failure else { panic!("it is repeated") };
        assert_eq!(retry_after, Some(Duration::from_secs(3)));
    }

    #[test]
    fn what_the_service_says_cannot_steer_a_terminal() {
        let Error::Service { message, .. } =
            described(StatusCode::CONFLICT, body("ERROR").as_bytes(), TraceId::generate())
        else {
            panic!("it is the service's error");
        };
        assert_eq!(message, "look again");
        assert_eq!(printable(&"a".repeat(1000)).len(), 300);
    }

    #[test]
    fn the_api_key_is_in_no_debug_output() {
        let key = ApiKey::new("ck_secret").unwrap();
        let http = Http::new("http://localhost:1", &key, HttpOptions::default()).unwrap();
        assert!(!format!("{http:?}").contains("ck_secret"));
    }
}
