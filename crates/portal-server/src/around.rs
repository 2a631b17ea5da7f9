//! What is around every request: a place, a trace id, a log line, and an end even if it is dropped.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use portal_api::route;
use tokio::{sync::Semaphore, time};

use crate::{
    described,
    effects::Effect,
    error::{ApiError, ApiResult, Cause},
    metrics::{Reason, RequestMeters},
    rates::Rates,
    service::SharedService,
    stack,
    to_the_end::ToTheEnd,
    trace_id::{TRACE_ID, TraceId},
};

/// The places of all requests.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) service: SharedService,
    pub(crate) free: Arc<Semaphore>,
    pub(crate) rates: Arc<Rates>,
}

/// Answers a request. A caller who hangs up ends nothing: what was begun is done, and the same
/// request finds it.
pub(crate) async fn answer(State(places): State<Places>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let trace = TraceId::of(request.headers());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let answered = match count(&places.rates, route.as_ref(), &request) {
        Ok(()) => to_the_end(&places, request, next).await,
        Err(error) => Err(error),
    };
    let mut response = answered.into_response();
    described::check(&response);
    log(&method, route.as_ref(), &response, begun, trace.as_str());
    measure(&places.service.requests, &method, route.as_ref(), &response, begun);
    response.headers_mut().insert(TRACE_ID, trace.into_header());
    places.service.observer.before(Effect::Reply { status: response.status().as_u16() });
    response
}

/// Whoever watches over the service is always told how it is, and at little cost.
fn count(rates: &Rates, route: Option<&MatchedPath>, request: &Request) -> ApiResult<()> {
    match route.map(MatchedPath::as_str) {
        Some(route::HEALTH | route::READY) => Ok(()),
        Some(path) if request.method() == Method::POST && path.starts_with(route::PASSKEYS) => {
            rates.count(request)?;
            rates.count_ceremony(request)
        }
        _ => rates.count(request),
    }
}

async fn to_the_end(places: &Places, request: Request, next: Next) -> ApiResult<Response> {
    let free = Arc::clone(&places.free);
    let place = free.try_acquire_owned().map_err(|_| ApiError::busy(Reason::Requests))?;
    let going_on = places.service.requests.begun();
    let answering = stack::erasing(async move {
        let _place = (place, going_on);
        next.run(request).await
    });
    // Nothing that a handler leaves halfway is seen again but what it shares by locks.
    let answering = ToTheEnd::new(AssertUnwindSafe(answering).catch_unwind());
    match time::timeout(places.service.limits.answer_time, answering).await {
        Ok(Ok(response)) => Ok(response),
        // What a panic says is not passed on.
        Ok(Err(_)) => Err(ApiError::internal("a handler panicked")),
        Err(_) => Err(ApiError::busy(Reason::Time)),
    }
}

fn measure(
    meters: &RequestMeters,
    method: &Method,
    route: Option<&MatchedPath>,
    response: &Response,
    begun: Instant,
) {
    let route = route.map(MatchedPath::as_str);
    meters.answered(method, route, response.status().as_u16(), begun.elapsed());
    if let Some(reason) = response.extensions().get::<Reason>() {
        meters.sent_away(*reason);
    }
}

/// Neither query nor body nor headers, but for the trace id; the route as it is written, not as it
/// was asked for.
fn log(
    method: &Method,
    route: Option<&MatchedPath>,
    response: &Response,
    begun: Instant,
    trace: &str,
) {
    let route = route.map_or("(none)", MatchedPath::as_str);
    let status = response.status().as_u16();
    let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    match response.extensions().get::<Cause>() {
        Some(Cause(cause)) => {
            tracing::error!(%method, route, status, micros, trace, %cause, "failed");
        }
        None => tracing::info!(%method, route, status, micros, trace, "answered"),
    }
}
