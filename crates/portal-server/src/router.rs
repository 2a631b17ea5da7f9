//! The routes, put together.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware,
    routing::{get, post, put},
};
use backup_core::Envelope;
use portal_api::{PostFrame, route};
use tokio::sync::Semaphore;

use crate::{
    around::{self, Places},
    body,
    error::ApiError,
    routes,
    service::SharedService,
    sessions,
};

/// All routes.
pub(crate) fn router(service: SharedService) -> Router {
    let places = Places {
        free: Arc::new(Semaphore::new(service.limits.requests)),
        service: Arc::clone(&service),
    };
    Router::new()
        .merge(clients())
        .merge(backups())
        .merge(sessions())
        .fallback(async || ApiError::not_found("there is no such route"))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(places, around::answer))
        .with_state(service)
}

fn clients() -> Router<SharedService> {
    Router::new()
        .route(route::HEALTH, get(routes::health))
        .route(route::CUSTODIAN_CLIENTS, post(routes::create_client))
        .route(route::CLIENT, get(routes::client))
        .layer(DefaultBodyLimit::max(body::MAX_LEN))
}

fn backups() -> Router<SharedService> {
    let envelope = put(routes::store_envelope)
        .layer(DefaultBodyLimit::max(Envelope::MAX_LEN))
        .get(routes::envelope);
    Router::new()
        .route("/v1/backups/{backup}/commit", post(routes::commit))
        .route("/v1/backups/{backup}/drop", post(routes::drop_pending))
        .route(route::REVOCATIONS, post(routes::revoke))
        .layer(DefaultBodyLimit::max(body::MAX_LEN))
        .route("/v1/backups/{backup}/envelope", envelope)
}

fn sessions() -> Router<SharedService> {
    Router::new()
        .route(route::SESSIONS, post(sessions::first))
        .route("/v1/sessions/{session}", post(sessions::second))
        .layer(DefaultBodyLimit::max(PostFrame::MAX_LEN))
}

async fn method_not_allowed() -> ApiError {
    ApiError::bad_request("this route has no such method")
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
}
