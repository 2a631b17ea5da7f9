//! Errors of the service, and the answers that they become.

use std::{borrow::Cow, fmt::Display, sync::Arc};

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use portal_api::{ErrorBody, ErrorDetail, ErrorId};

use crate::{json, lifecycle::Refusal, metrics::Reason, random::NoRandomness, store::StoreError};

/// What the handlers of the service return.
pub type ApiResult<T> = Result<T, ApiError>;

/// An answer that is no success. Its message is for the caller; its cause is for the log alone.
#[derive(Debug)]
pub struct ApiError {
    id: ErrorId,
    message: Cow<'static, str>,
    status: StatusCode,
    retry_after_seconds: Option<u64>,
    sent_away: Option<Reason>,
    cause: Option<Cause>,
}

/// Why the service failed. It leaves in the log only.
#[derive(Clone, Debug)]
pub(crate) struct Cause(pub(crate) Arc<str>);

impl ApiError {
    /// An error with the status that its id has. `message` says what was wrong and what to do, and
    /// holds no secret.
    #[must_use]
    pub fn new(id: ErrorId, message: impl Into<Cow<'static, str>>) -> Self {
        let retry_after_seconds = matches!(id, ErrorId::Error).then_some(1);
        let message = message.into();
        Self {
            id,
            message,
            status: status_of(id),
            retry_after_seconds,
            sent_away: None,
            cause: None,
        }
    }

    /// The request is wrong.
    #[must_use]
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorId::BadRequest, message)
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorId::NotFound, message)
    }

    /// Not possible in this state; nothing has changed.
    #[must_use]
    pub fn state_invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorId::StateInvalid, message)
    }

    /// The device's signing set is not the live one.
    #[must_use]
    pub fn share_mismatch() -> Self {
        Self::new(
            ErrorId::SignShareMismatch,
            "the live signing set did not sign this: another device may have recovered the wallet",
        )
    }

    /// Too much at once.
    #[must_use]
    pub fn busy(reason: Reason) -> Self {
        let error = Self::new(ErrorId::Error, "too much at once: wait, then repeat");
        Self { sent_away: Some(reason), ..error }
    }

    /// The caller asks too often.
    #[must_use]
    pub fn too_often(reason: Reason, retry_after_seconds: u64) -> Self {
        let message = "too many requests: wait as Retry-After says, then repeat";
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            retry_after_seconds: Some(retry_after_seconds),
            sent_away: Some(reason),
            ..Self::new(ErrorId::Error, message)
        }
    }

    /// Requests are better sent elsewhere, or later.
    #[must_use]
    pub fn not_ready(why: &'static str) -> Self {
        Self::new(ErrorId::Error, why)
    }

    /// The service failed. The caller learns nothing of `cause`; the log does.
    #[must_use]
    pub fn internal(cause: impl Display) -> Self {
        let error = Self::new(ErrorId::InternalError, "the service failed: repeat the request");
        error.caused_by(cause)
    }

    /// The same error under another status.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Tells the log why.
    #[must_use]
    pub fn caused_by(self, cause: impl Display) -> Self {
        Self { cause: Some(Cause(cause.to_string().into())), ..self }
    }

    /// What kind of error it is.
    #[must_use]
    pub const fn id(&self) -> ErrorId {
        self.id
    }

    /// The HTTP status that it leaves with.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    fn body(&self) -> ErrorBody {
        let message = self.message.clone().into_owned();
        ErrorBody { error: ErrorDetail { id: self.id, message, code: self.status.as_u16() } }
    }
}

const fn status_of(id: ErrorId) -> StatusCode {
    match id {
        ErrorId::AuthFailed => StatusCode::UNAUTHORIZED,
        ErrorId::NotFound => StatusCode::NOT_FOUND,
        ErrorId::StateInvalid | ErrorId::SignShareMismatch | ErrorId::OperationInProgress => {
            StatusCode::CONFLICT
        }
        ErrorId::Error => StatusCode::SERVICE_UNAVAILABLE,
        ErrorId::InternalError | ErrorId::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = json::answer(self.status, &self.body());
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.id == ErrorId::AuthFailed {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response.extensions_mut().insert(self.id);
        if let Some(reason) = self.sent_away {
            response.extensions_mut().insert(reason);
        }
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if error.is_busy() {
            Self::busy(Reason::Database).caused_by(error)
        } else {
            Self::internal(error)
        }
    }
}

impl From<NoRandomness> for ApiError {
    fn from(error: NoRandomness) -> Self {
        Self::internal(error)
    }
}

/// Keys and what is sealed under them: never the caller's fault.
impl From<backup_core::Error> for ApiError {
    fn from(error: backup_core::Error) -> Self {
        match error.kind() {
            backup_core::ErrorKind::Unavailable => Self::busy(Reason::Key).caused_by(error),
            _ => Self::internal(error),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoSuchSet => Self::not_found(refusal.to_string()),
            _ => Self::state_invalid(refusal.to_string()),
        }
    }
}
