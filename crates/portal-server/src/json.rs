//! JSON in bodies.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::error::{ApiError, ApiResult};

/// An answer in JSON.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        answer(StatusCode::OK, &self.0)
    }
}

/// An answer in JSON with this status.
pub(crate) fn answer(status: StatusCode, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("our answers are plain structs");
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Reads a body that says that it is JSON: an object, since the structs that we read would take
/// their fields from an array as well.
///
/// # Errors
///
/// `BAD_REQUEST`, with status 415 for another media type. The message names the place and quotes
/// nothing.
pub(crate) fn parse<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> ApiResult<T> {
    expect_media_type(headers, "application/json")?;
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(ApiError::bad_request("the body has to be a JSON object"));
    }
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        ApiError::bad_request(format!("the body is malformed at line {line}, column {column}"))
    })
}

/// Refuses a body of another media type; parameters of the type are of no concern.
///
/// # Errors
///
/// `BAD_REQUEST` with status 415.
pub fn expect_media_type(headers: &HeaderMap, expected: &str) -> ApiResult<()> {
    let text = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str);
    let essence = text.and_then(Result::ok).and_then(|text| text.split(';').next());
    if essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(expected)) {
        return Ok(());
    }
    let message = format!("the body's Content-Type has to be {expected}");
    Err(ApiError::bad_request(message).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}
