//! Where metrics are read: on a listener of their own, which is not the public one.

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};

use super::exposition;
use crate::service::SharedService;

/// The only route of that listener.
pub(crate) fn endpoint(service: SharedService) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(service)
}

async fn metrics(State(service): State<SharedService>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], exposition(&service).await)
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
