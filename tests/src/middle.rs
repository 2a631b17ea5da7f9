//! A man in the middle: he reads, keeps and changes what passes between devices and their service.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
pub use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};
use backup_core::EncryptionContext;
use portal_api::{DeviceKey, SignedRequest, content_digest};
use portal_client::ApiKey;
use tokio::{net::TcpListener, task::JoinHandle};

/// A request, as it is sent.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its method.
    pub method: Method,
    /// Its path, and a query if there is one.
    pub path: String,
    /// Its headers, but those of the connection.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers, but those of the connection.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// What the man in the middle does to what passes: nothing, where a method is not written.
pub trait Meddler: Send + Sync {
    /// What he asks the service for before this arrives there.
    fn before(&self, _: &Asked) -> Vec<Asked> {
        Vec::new()
    }

    /// What the service is asked for in the place of this.
    fn forwarded(&self, asked: &Asked) -> Asked {
        asked.clone()
    }

    /// What he answers himself: the service never hears of the request.
    fn instead(&self, _: &Asked) -> Option<Answer> {
        None
    }

    /// What arrives at the device in the place of the service's answer.
    fn changed(&self, _: &Asked, answer: Answer) -> Answer {
        answer
    }
}

/// Changes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Honest;

impl Meddler for Honest {}

/// Changes answers.
pub struct Changing<F>(pub F);

impl<F: Fn(&Asked, Answer) -> Answer + Send + Sync> Meddler for Changing<F> {
    fn changed(&self, asked: &Asked, answer: Answer) -> Answer {
        self.0(asked, answer)
    }
}

/// A server between devices and a service.
pub struct Middle {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    client: reqwest::Client,
    service: Mutex<String>,
    meddler: Mutex<Arc<dyn Meddler>>,
    heard: Mutex<Vec<(Asked, Answer)>>,
}

impl Middle {
    /// A man in the middle who is honest still.
    pub async fn before(service: SocketAddr) -> Self {
        let shared = Arc::new(Shared {
            client: http_client(),
            service: Mutex::new(format!("http://{service}")),
            meddler: Mutex::new(Arc::new(Honest)),
            heard: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("it listens");
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("serving does not end");
        });
        Self { address, shared, serving }
    }

    /// Its address for clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on he does this.
    pub fn meddle(&self, meddler: impl Meddler + 'static) {
        *lock(&self.shared.meddler) = Arc::new(meddler);
    }

    /// From now on he changes answers in this way.
    pub fn change(&self, change: impl Fn(&Asked, Answer) -> Answer + Send + Sync + 'static) {
        self.meddle(Changing(change));
    }

    /// From now on he changes nothing.
    pub fn be_honest(&self) {
        self.meddle(Honest);
    }

    /// The service has moved.
    pub fn forward_to(&self, service: SocketAddr) {
        *lock(&self.shared.service) = format!("http://{service}");
    }

    /// What devices sent so far, and what arrived there.
    #[must_use]
    pub fn heard(&self) -> Vec<(Asked, Answer)> {
        lock(&self.shared.heard).clone()
    }

    /// Asks the service itself.
    pub async fn ask(&self, asked: &Asked) -> Answer {
        self.shared.ask(asked).await
    }
}

impl Drop for Middle {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // A device that hung up hears nothing either way.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let asked = Asked { method: parts.method, path, headers: passing(&parts.headers), body };
    let meddler = Arc::clone(&lock(&shared.meddler));
    for own in meddler.before(&asked) {
        shared.ask(&own).await;
    }
    let answer = match meddler.instead(&asked) {
        Some(answer) => answer,
        None => meddler.changed(&asked, shared.ask(&meddler.forwarded(&asked)).await),
    };
    lock(&shared.heard).push((asked, answer.clone()));
    (answer.status, answer.headers, Body::from(answer.body)).into_response()
}

impl Shared {
    async fn ask(&self, asked: &Asked) -> Answer {
        let service = lock(&self.service).clone();
        send(&self.client, &service, asked).await.unwrap_or_else(|error| {
            let body = Bytes::from(error.to_string());
            Answer { status: StatusCode::BAD_GATEWAY, headers: HeaderMap::new(), body }
        })
    }
}

/// What asks without a proxy of the environment.
#[must_use]
pub fn http_client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    client.build().expect("plain HTTP needs nothing")
}

/// Asks the service at this address.
///
/// # Errors
///
/// If no answer arrives.
pub async fn send(
    client: &reqwest::Client,
    service: &str,
    asked: &Asked,
) -> Result<Answer, reqwest::Error> {
    let request = client.request(asked.method.clone(), format!("{service}{}", asked.path));
    let sent = request.headers(asked.headers.clone()).body(asked.body.clone()).send().await?;
    let (status, headers) = (sent.status(), passing(sent.headers()));
    Ok(Answer { status, headers, body: sent.bytes().await? })
}

/// The headers that do not belong to one connection.
fn passing(headers: &HeaderMap) -> HeaderMap {
    let of_connection = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::DATE,
        header::ACCEPT,
        header::USER_AGENT,
    ];
    let mut headers = headers.clone();
    for name in of_connection {
        headers.remove(name);
    }
    headers
}

impl Asked {
    /// A request without a body, and without a key.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        Self { method: Method::GET, path: path.into(), headers, body }
    }

    /// A request with a body, and without a key.
    #[must_use]
    pub fn with_body(
        method: Method,
        path: impl Into<String>,
        media_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        Self { method, path: path.into(), headers, body: body.into() }
    }

    /// A post of JSON.
    #[must_use]
    pub fn json(path: impl Into<String>, body: &impl serde::Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("what is sent is plain structs");
        Self::with_body(Method::POST, path, "application/json", body)
    }

    /// The same with another header, in the place of one of its name.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header of a test is visible ASCII");
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// The same without a header.
    #[must_use]
    pub fn without_header(mut self, name: &'static str) -> Self {
        self.headers.remove(name);
        self
    }

    /// The same with an API key.
    #[must_use]
    pub fn with_key(self, key: &ApiKey) -> Self {
        self.with_header("authorization", &format!("Bearer {}", key.expose()))
    }

    /// The same with the digest of its body.
    #[must_use]
    pub fn with_digest(self) -> Self {
        let digest = content_digest(&self.body);
        self.with_header("content-digest", &digest)
    }

    /// The same with another body, its digest, and the signature that it had.
    #[must_use]
    pub fn with_other_body(self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }.with_digest()
    }

    /// The same, signed by a device.
    #[must_use]
    pub fn signed_by(
        self,
        client: &EncryptionContext,
        key: &DeviceKey,
        first_reply: Option<[u8; 32]>,
    ) -> Self {
        let signature = key.sign(&SignedRequest {
            client,
            method: self.method.as_str(),
            path: self.path.split('?').next().unwrap_or_default(),
            body: &self.body,
            first_reply,
        });
        self.with_digest().with_header(DeviceKey::HEADER, &signature.to_string())
    }

    /// Whether it asks for this, by its method and by how its path ends.
    #[must_use]
    pub fn is(&self, method: &Method, ending: &str) -> bool {
        self.method == *method && self.path.ends_with(ending)
    }

    /// Whether it is a first post of a session.
    #[must_use]
    pub fn is_first_post(&self) -> bool {
        self.is(&Method::POST, portal_api::route::SESSIONS)
    }

    /// Whether it is a second post of a session.
    #[must_use]
    pub fn is_second_post(&self) -> bool {
        self.method == Method::POST
            && self.path.strip_prefix(portal_api::route::SESSIONS).is_some_and(|id| id.len() > 1)
    }
}

impl Answer {
    /// An answer of this type.
    #[must_use]
    pub fn new(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        Self { status, headers, body: body.into() }
    }

    /// An answer in JSON.
    #[must_use]
    pub fn json(status: StatusCode, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// That there is nothing to say.
    #[must_use]
    pub fn no_content() -> Self {
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        Self { status: StatusCode::NO_CONTENT, headers, body }
    }

    /// A refusal of the service.
    #[must_use]
    pub fn refusal(status: StatusCode, id: portal_api::ErrorId) -> Self {
        let code = status.as_u16();
        let error = serde_json::json!({ "id": id, "message": "so it is", "code": code });
        Self::json(status, &serde_json::json!({ "error": error }))
    }

    /// Its body as JSON; null if it is none.
    #[must_use]
    pub fn value(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Its body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The same with another body.
    #[must_use]
    pub fn with_body(self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// The same with its JSON changed.
    #[must_use]
    pub fn edited(self, edit: impl FnOnce(&mut serde_json::Value)) -> Self {
        let mut value = self.value();
        edit(&mut value);
        self.with_body(value.to_string())
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<F> fmt::Debug for Changing<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Changing")
    }
}

impl fmt::Debug for Middle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Middle").field("address", &self.address).finish_non_exhaustive()
    }
}
