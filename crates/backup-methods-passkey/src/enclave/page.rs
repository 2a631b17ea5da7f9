//! The page on which the system's browser runs a ceremony for a program.

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    response::IntoResponse,
    routing::get,
};

/// The page `/passkeys/ceremony` and what belongs to it, for
/// [`BrowserCeremony`](crate::BrowserCeremony): mount it beside [`router`](super::router), on an
/// origin of the relying party, and outside of what authenticates clients.
///
/// It knows no client and no key, and asks the service nothing.
pub fn page() -> Router {
    Router::new()
        .route("/passkeys/ceremony", get(async || file("text/html; charset=utf-8", HTML)))
        .route("/passkeys/ceremony.css", get(async || file("text/css; charset=utf-8", CSS)))
        .route("/passkeys/ceremony.js", get(async || file(JAVASCRIPT, SCRIPT)))
        .route("/passkeys/hpke.js", get(async || file(JAVASCRIPT, HPKE)))
}

fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
    (HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))), kind, text)
}

/// The page is in nobody's frame, loads nothing of others, and posts to this computer only.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; \
         form-action http://127.0.0.1:*; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-cache"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const HTML: &str = include_str!("page/ceremony.html");
const CSS: &str = include_str!("page/ceremony.css");
const SCRIPT: &str = include_str!("page/ceremony.js");
const HPKE: &str = include_str!("page/hpke.js");
