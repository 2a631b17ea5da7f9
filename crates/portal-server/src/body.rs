//! Bodies: as long as their route allows, and no slower than the limit.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::StatusCode,
};
use portal_api::ErrorId;
use tokio::time;

use crate::{
    error::{ApiError, ApiResult},
    service::Service,
};

/// Reads a body whole.
pub(crate) async fn read(request: Request, service: &Service) -> ApiResult<Bytes> {
    let read = time::timeout(service.limits.body_time, Bytes::from_request(request, &()));
    match read.await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) => Err(of_rejection(&rejection)),
        Err(_) => Err(cut_short()),
    }
}

fn of_rejection(rejection: &BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::bad_request("the body is longer than any that belongs here")
            .with_status(StatusCode::PAYLOAD_TOO_LARGE);
    }
    cut_short()
}

fn cut_short() -> ApiError {
    ApiError::new(ErrorId::MessageMalformed, "the body did not arrive whole: send it again")
}
