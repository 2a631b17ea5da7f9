//! Errors in Drive's shape.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

pub(super) type Result<T, E = Refusal> = std::result::Result<T, E>;

/// A refusal, by the reference's "Resolve errors".
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    reason: &'static str,
    message: String,
    location: Option<&'static str>,
    pub(super) retry_after: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(status: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { status, reason, message: message.into(), location: None, retry_after: None }
    }

    pub(super) fn invalid(location: &'static str, message: impl Into<String>) -> Self {
        Self { location: Some(location), ..Self::new(400, "invalid", message) }
    }

    pub(super) fn not_found(id: &str) -> Self {
        let message = format!("File not found: {id}.");
        Self { location: Some("fileId"), ..Self::new(404, "notFound", message) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let domain = if self.reason.ends_with("LimitExceeded") { "usageLimits" } else { "global" };
        let mut error = json!({
            "domain": domain, "reason": self.reason, "message": self.message,
        });
        if let Some(location) = self.location {
            error["locationType"] = "parameter".into();
            error["location"] = location.into();
        }
        let body = json!({ "error": {
            "code": self.status, "message": self.message, "errors": [error],
        }});
        let status = StatusCode::from_u16(self.status).expect("a status");
        let mut response = (status, Json(body)).into_response();
        if let Some(after) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(after));
        }
        response
    }
}
