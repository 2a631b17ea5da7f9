//! How much a request may carry besides its body, and that one which only reads carries none.

use axum::{
    body::HttpBody,
    extract::Request,
    http::{Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::error::{ApiError, ApiResult};

/// Refuses what is out of bounds before anything of it is looked at.
pub(crate) async fn keep(request: Request, next: Next) -> Response {
    match check(&request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check(request: &Request) -> ApiResult<()> {
    if head_len(request) > MAX_HEAD_LEN {
        return Err(ApiError::bad_request("the path and headers are longer than any belong here")
            .with_status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    }
    let only_reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if only_reads && !request.body().is_end_stream() {
        return Err(ApiError::bad_request("a request that only reads has no body"));
    }
    Ok(())
}

fn head_len(request: &Request) -> usize {
    let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    path + headers.sum::<usize>()
}

/// What browsers, proxies and our own clients send takes a tenth of it.
const MAX_HEAD_LEN: usize = 32 * 1024;
