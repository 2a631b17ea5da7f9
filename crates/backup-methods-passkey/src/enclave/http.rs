//! The enclave's routes: Portal's, and a few of ours beside them.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use backup_core::{EncryptionContext, Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tower_http::cors::CorsLayer;
use zeroize::{Zeroize, Zeroizing};

use super::{
    Action, BeginLogin, BeginRegistration, Begun, Confirmation, Enclave, FinishRegistration,
    Purpose, Read, Refusal, Registered, Released, Write, Written, key_text,
};

/// The routes of `enclave`. What it answers to a refused request has the refusal in its extensions,
/// as an `Arc<Refusal>`: for the log of the mounter, since the cause of a failure is told to nobody
/// else.
///
/// # Security
///
/// Whoever mounts it puts a layer around it that authenticates the client, and puts its
/// [`EncryptionContext`] into the request's extensions. Without one every request is refused.
pub fn router(enclave: Arc<Enclave>) -> Router {
    Router::new()
        .route("/passkeys", get(passkeys))
        .route("/passkeys/keys", get(keys))
        .route("/passkeys/status", get(status))
        .route("/passkeys/begin-registration", post(begin_registration))
        .route("/passkeys/finish-registration", post(finish_registration))
        .route("/passkeys/begin-login", post(begin_login))
        .route("/passkeys/finish-login/read", post(read))
        .route("/passkeys/finish-login/write", post(write))
        .route(
            "/passkeys/finish-login/delete",
            post(async |call: Call| confirm(call, Purpose::Delete).await),
        )
        .route(
            "/passkeys/finish-login/grant",
            post(async |call: Call| confirm(call, Purpose::Grant).await),
        )
        .route(
            "/passkeys/finish-login/rename",
            post(async |call: Call| confirm(call, Purpose::Rename).await),
        )
        .route(
            "/passkeys/finish-login/remove",
            post(async |call: Call| confirm(call, Purpose::Remove).await),
        )
        .layer(DefaultBodyLimit::max(MAX_BODY_LEN))
        .with_state(enclave)
}

/// Lets pages of these origins, and no others, call `router`, whose layers authenticate: a
/// browser's preflight carries no key.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] if an origin does not fit into a header, or is `*`.
pub fn cross_origin(router: Router, origins: &[&str]) -> Result<Router> {
    let wrong = || Error::new(ErrorKind::InvalidInput, "an origin of the CORS list is none");
    let origins = origins.iter().map(|origin| {
        let header = HeaderValue::from_str(origin).map_err(|_| wrong())?;
        if origin.contains("://") { Ok(header) } else { Err(wrong()) }
    });
    let cors = CorsLayer::new()
        .allow_origin(origins.collect::<Result<Vec<_>>>()?)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, TRACE_ID])
        .expose_headers([header::RETRY_AFTER, TRACE_ID]);
    Ok(router.layer(cors))
}

type Answer = Result<Response, Refusal>;

async fn status(call: Call) -> Answer {
    let status = call.enclave.status(&call.client).await?;
    Ok(ok(&json!({ "status": status })))
}

async fn passkeys(call: Call) -> Answer {
    let passkeys = call.enclave.passkeys(&call.client).await?;
    Ok(ok(&json!({ "passkeys": passkeys })))
}

async fn keys(call: Call) -> Answer {
    let keys = call.enclave.keys(&call.client).await?;
    Ok(ok(&json!({ "keys": keys })))
}

async fn begin_registration(mut call: Call) -> Answer {
    let request: BeginRegistration = call.parse(Action::BeginRegistration).await?;
    call.enclave.begin_registration(&call.client, &request).await.map(begun)
}

async fn finish_registration(mut call: Call) -> Answer {
    let request: FinishRegistration = call.parse(Action::FinishRegistration).await?;
    let Registered { passkey, key } =
        call.enclave.finish_registration(&call.client, &request).await?;
    Ok(ok(&json!({ "passkeyId": passkey, "keyId": key })))
}

async fn begin_login(mut call: Call) -> Answer {
    let request: BeginLogin = call.parse(Action::BeginLogin).await?;
    call.enclave.begin_login(&call.client, &request).await.map(begun)
}

async fn write(mut call: Call) -> Answer {
    let request: Write = call.parse(Action::Write).await?;
    let Written { key } = call.enclave.write(&call.client, &request).await?;
    Ok(ok(&json!({ "keyId": key })))
}

async fn read(mut call: Call) -> Answer {
    let request: Read = call.parse(Action::Read).await?;
    call.enclave.read(&call.client, &request).await.map(|released| with_key(&released))
}

async fn confirm(mut call: Call, purpose: Purpose) -> Answer {
    let request: Confirmation = call.parse(Action::Confirm).await?;
    call.enclave.confirm(&call.client, &request.of(purpose)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn begun(Begun { options, session_id }: Begun) -> Response {
    ok(&json!({ "options": options, "sessionId": session_id }))
}

/// The body wipes itself. Id and digits need no escapes.
fn with_key(Released { id, key }: &Released) -> Response {
    let digits = key_text::encode(key);
    let json = format!(r#"{{"encryptionKey":"{}","keyId":"{id}"}}"#, *digits);
    let body = Bytes::from_owner(Zeroizing::new(json.into_bytes()));
    (StatusCode::OK, HEADERS, body).into_response()
}

fn ok(value: &Value) -> Response {
    (StatusCode::OK, HEADERS, value.to_string()).into_response()
}

/// A request of a client.
struct Call {
    enclave: Arc<Enclave>,
    client: EncryptionContext,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
}

impl FromRequest<Arc<Enclave>> for Call {
    type Rejection = Refusal;

    async fn from_request(request: Request, enclave: &Arc<Enclave>) -> Result<Self, Refusal> {
        let client = request.extensions().get().cloned().ok_or(Refusal::Unauthenticated)?;
        let (enclave, headers) = (Arc::clone(enclave), request.headers().clone());
        let body = Bytes::from_request(request, &()).await;
        Ok(Self { enclave, client, headers, body })
    }
}

impl Call {
    /// Reads the body, wipes it, and writes down if it is refused.
    async fn parse<T: DeserializeOwned>(&mut self, action: Action) -> Result<T, Refusal> {
        let body = std::mem::replace(&mut self.body, Ok(Bytes::new()));
        match parsed(&self.headers, body) {
            Ok(request) => Ok(request),
            Err(refusal) => Err(self.enclave.refuse_unread(&self.client, action, refusal).await),
        }
    }
}

fn parsed<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<T, Refusal> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLong,
        _ => Refusal::Malformed("the body broke off; repeat the request"),
    })?;
    let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        value.to_str().is_ok_and(|text| {
            text.split(';').next().unwrap_or_default().trim() == "application/json"
        })
    });
    // Structs would take their fields from an array as well.
    let is_object = body.trim_ascii_start().first() == Some(&b'{');
    let parsed = serde_json::from_slice(&body);
    if let Ok(mut body) = body.try_into_mut() {
        body.as_mut().zeroize();
    }
    if !is_json {
        return Err(Refusal::Malformed("the body's Content-Type has to be application/json"));
    }
    if !is_object {
        return Err(Refusal::Malformed("the body has to be a JSON object"));
    }
    parsed.map_err(|_| Refusal::Malformed("the body is malformed"))
}

/// Portal's shape, `{"error":{"id","message","code"}}`, and `reason`, which is ours.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, id) = self.on_the_wire();
        let body = json!({ "error": {
            "id": id,
            "message": self.to_string(),
            "code": status.as_u16(),
            "reason": self.as_str(),
        }});
        let body = body.to_string();
        let mut response = (status, HEADERS, body).into_response();
        let retry_after = match status {
            StatusCode::TOO_MANY_REQUESTS => Some(15 * 60),
            StatusCode::SERVICE_UNAVAILABLE => Some(1),
            _ => None,
        };
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl Refusal {
    /// Status and id of an answer.
    #[must_use]
    pub fn on_the_wire(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, "AUTH_FAILED"),
            Self::NotVerified | Self::NotAllowed => (StatusCode::FORBIDDEN, "AUTH_FAILED"),
            Self::CarriesSecret | Self::ForeignRelyingParty | Self::Malformed(_) => {
                (StatusCode::BAD_REQUEST, "BAD_REQUEST")
            }
            Self::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "BAD_REQUEST"),
            Self::NotFound(_) | Self::NotRegistered => (StatusCode::NOT_FOUND, "NOT_FOUND"),
            Self::AlreadyRegistered
            | Self::Ambiguous
            | Self::Conflict
            | Self::LastHolder
            | Self::LimitReached(_)
            | Self::UnknownCeremony => (StatusCode::CONFLICT, "STATE_INVALID"),
            Self::TooManyAttempts => (StatusCode::TOO_MANY_REQUESTS, "ERROR"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "ERROR"),
            Self::Failed(error) if error.kind() == ErrorKind::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "ERROR")
            }
            Self::Failed(_) => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR"),
        }
    }
}

/// Nothing of an enclave's is to be kept on the way.
const HEADERS: [(&str, &str); 2] =
    [("content-type", "application/json"), ("cache-control", "no-store")];

/// By which a request is found in the logs of an app, and in those of the service.
const TRACE_ID: HeaderName = HeaderName::from_static("x-portal-trace-id");

/// An attestation of 16 KiB whose every quote is escaped, and the rest of a body.
const MAX_BODY_LEN: usize = 64 * 1024;
