//! The routes, put together.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware,
    routing::{MethodRouter, get, post, put},
};
use backup_core::Envelope;
use portal_api::{PostFrame, route::Route};
use tokio::sync::Semaphore;

use crate::{
    around::{self, Places},
    body, bounds,
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
    let routes = Route::ALL.into_iter().fold(Router::new(), |router, route| {
        let handler = handler(route).layer(DefaultBodyLimit::max(longest_body(route)));
        router.route(route.path(), handler)
    });
    routes
        .fallback(async || ApiError::not_found("there is no such route"))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn(bounds::keep))
        .layer(middleware::from_fn_with_state(places, around::answer))
        .with_state(service)
}

fn handler(route: Route) -> MethodRouter<SharedService> {
    match route {
        Route::Health => get(routes::health),
        Route::CreateClient => post(routes::create_client),
        Route::Client => get(routes::client),
        Route::FirstPost => post(sessions::first),
        Route::SecondPost => post(sessions::second),
        Route::StoreEnvelope => put(routes::store_envelope),
        Route::Envelope => get(routes::envelope),
        Route::Commit => post(routes::commit),
        Route::DropPending => post(routes::drop_pending),
        Route::Revoke => post(routes::revoke),
    }
}

const fn longest_body(route: Route) -> usize {
    match route {
        Route::FirstPost | Route::SecondPost => PostFrame::MAX_LEN,
        Route::StoreEnvelope => Envelope::MAX_LEN,
        _ => body::MAX_LEN,
    }
}

async fn method_not_allowed() -> ApiError {
    ApiError::bad_request("this route has no such method")
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
}
