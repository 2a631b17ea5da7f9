//! How much a request may carry besides its body, and that one which only reads carries none.

use axum::{
    body::HttpBody,
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::error::{ApiError, ApiResult};

/// Refuses a path and headers that are too long before anything of them is looked at.
pub(crate) async fn keep(request: Request, next: Next) -> Response {
    if head_len(&request) > MAX_HEAD_LEN {
        let message = "the path and headers are longer than any belong here";
        return ApiError::bad_request(message)
            .with_status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
            .into_response();
    }
    next.run(request).await
}

/// Refuses a body where a route only reads.
pub(crate) async fn expect_no_body(request: Request) -> ApiResult<Request> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    Err(ApiError::bad_request("a request that only reads has no body"))
}

fn head_len(request: &Request) -> usize {
    let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    path + headers.sum::<usize>()
}

/// What browsers, proxies and our own clients send takes a tenth of it.
const MAX_HEAD_LEN: usize = 32 * 1024;
