//! Errors in CloudKit's shape.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

pub(super) type Result<T, E = Refusal> = std::result::Result<T, E>;

/// A refusal, by the reference's "Error Codes".
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    reason: String,
    redirect: Option<String>,
    retry_after: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, reason: impl Into<String>) -> Self {
        Self { status, code, reason: reason.into(), redirect: None, retry_after: None }
    }

    pub(super) fn bad(reason: impl Into<String>) -> Self {
        Self::new(400, "BAD_REQUEST", reason)
    }

    /// Nobody is signed in; `page` is where to.
    pub(super) fn sign_in(page: String) -> Self {
        let reason = "request needs authorization";
        Self { redirect: Some(page), ..Self::new(421, "AUTHENTICATION_REQUIRED", reason) }
    }

    pub(super) fn no_zone() -> Self {
        Self::new(404, "ZONE_NOT_FOUND", "Zone does not exist")
    }

    /// Seconds, which stand in the dictionary, or a date, which stands in the header.
    pub(super) fn with_retry_after(self, retry_after: Option<&'static str>) -> Self {
        Self { retry_after, ..self }
    }

    /// The error dictionary.
    pub(super) fn dictionary(&self) -> Value {
        let mut error = json!({
            "uuid": "4f02f7aa-fbb5-4cf8-ae8e-4dd463793841",
            "serverErrorCode": self.code,
            "reason": self.reason,
        });
        if let Some(page) = &self.redirect {
            error["redirectURL"] = page.as_str().into();
        }
        if let Some(seconds) = self.seconds() {
            error["retryAfter"] = seconds.into();
        }
        error
    }

    fn seconds(&self) -> Option<u64> {
        self.retry_after?.parse().ok()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).expect("a status");
        let mut response = (status, Json(self.dictionary())).into_response();
        if let Some(after) = self.retry_after.filter(|_| self.seconds().is_none()) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(after));
        }
        response
    }
}
