//! What is around every request: a place, a trace id, a log line, and an end even if it is dropped.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::{sync::Semaphore, time};

use crate::{
    described,
    effects::Effect,
    error::{ApiError, ApiResult, Cause},
    limits::of_panic,
    random,
    service::SharedService,
    stack,
};

/// The header by which a log line is found again.
pub(crate) const TRACE_ID: HeaderName = HeaderName::from_static("x-portal-trace-id");

/// The places of all requests.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) service: SharedService,
    pub(crate) free: Arc<Semaphore>,
}

/// Answers a request in a task of its own. A caller who hangs up ends nothing: what was begun is
/// done, and the same request finds it.
pub(crate) async fn answer(State(places): State<Places>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = in_own_task(&places, request, next).await.into_response();
    described::check(&response);
    let trace = random::name().unwrap_or_default();
    log(&method, route.as_ref(), &response, begun, &trace);
    if let Ok(value) = HeaderValue::from_str(&trace) {
        response.headers_mut().insert(TRACE_ID, value);
    }
    places.service.observer.before(Effect::Reply { status: response.status().as_u16() });
    response
}

async fn in_own_task(places: &Places, request: Request, next: Next) -> ApiResult<Response> {
    let free = Arc::clone(&places.free);
    let place = free.try_acquire_owned().map_err(|_| ApiError::busy())?;
    let task = tokio::spawn(stack::erasing(async move {
        let _place = place;
        next.run(request).await
    }));
    match time::timeout(places.service.limits.answer_time, task).await {
        Ok(answered) => answered.map_err(|error| of_panic(&error)),
        Err(_) => Err(ApiError::busy()),
    }
}

/// Neither query nor body nor headers: the route as it is written, not as it was asked for.
fn log(
    method: &Method,
    route: Option<&MatchedPath>,
    response: &Response,
    begun: Instant,
    trace: &str,
) {
    let route = route.map_or("(none)", MatchedPath::as_str);
    let status = response.status().as_u16();
    let micros = begun.elapsed().as_micros();
    match response.extensions().get::<Cause>() {
        Some(Cause(cause)) => {
            tracing::error!(%method, route, status, micros, trace, %cause, "failed");
        }
        None => tracing::info!(%method, route, status, micros, trace, "answered"),
    }
}
