//! Answers that are no success, in Portal's shape.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use portal_api::{ErrorBody, ErrorDetail, ErrorId};

use crate::store::StoreError;

/// Why a request is not answered. The message quotes nothing of it.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    id: ErrorId,
    message: &'static str,
}

impl Refusal {
    pub(crate) const ADDRESS: Self =
        Self::new(StatusCode::FORBIDDEN, ErrorId::AuthFailed, "this address may not ask");
    pub(crate) const SECRET: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        ErrorId::AuthFailed,
        "the secret, or the signature, is missing or wrong",
    );
    pub(crate) const TIME: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        ErrorId::AuthFailed,
        "the request is older, or newer, than five minutes: set the clocks",
    );
    pub(crate) const REPLAYED: Self =
        Self::new(StatusCode::CONFLICT, ErrorId::StateInvalid, "this request was answered before");
    pub(crate) const BODY: Self =
        Self::new(StatusCode::BAD_REQUEST, ErrorId::BadRequest, "the body is malformed");
    pub(crate) const NAMES: Self = Self::new(
        StatusCode::BAD_REQUEST,
        ErrorId::BadRequest,
        "client, method and pair are 1 to 128 visible ASCII characters, and a value is not empty",
    );
    pub(crate) const USER: Self =
        Self::new(StatusCode::UNAUTHORIZED, ErrorId::AuthFailed, "sign in first");
    pub(crate) const NONE: Self =
        Self::new(StatusCode::NOT_FOUND, ErrorId::NotFound, "there is no such ciphertext");

    const fn new(status: StatusCode, id: ErrorId, message: &'static str) -> Self {
        Self { status, id, message }
    }

    fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorId::Error,
            "the store or a key does not answer: repeat the request, signed afresh",
        )
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store of a webhook failed");
        Self::unavailable()
    }
}

impl From<backup_core::Error> for Refusal {
    fn from(error: backup_core::Error) -> Self {
        tracing::error!(%error, "a key of a webhook failed");
        Self::unavailable()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, id, message } = self;
        let error = ErrorDetail { id, message: message.to_owned(), code: status.as_u16() };
        let body = serde_json::to_vec(&ErrorBody { error }).expect("it is a plain struct");
        (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}
