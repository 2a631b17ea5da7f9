//! That the service answers nothing that its description does not have. Tests find out.

use axum::response::Response;
use portal_api::{ErrorId, route::Route};

/// What was asked for.
#[derive(Clone, Copy, Debug)]
struct Asked(Route);

/// Notes on an answer what was asked for, where it is checked.
pub(crate) fn note(route: Route, mut response: Response) -> Response {
    if cfg!(debug_assertions) {
        response.extensions_mut().insert(Asked(route));
    }
    response
}

/// Stops a program that is built with debug assertions, as tests are, if an answer of a route is
/// none that the route has.
pub(crate) fn check(response: &Response) {
    let asked = response.extensions().get::<Asked>();
    let refusal = response.extensions().get::<ErrorId>();
    if let (Some(Asked(route)), Some(id)) = (asked, refusal) {
        let refusal = (response.status().as_u16(), *id);
        debug_assert!(
            route.refusals().any(|described| described == refusal),
            "{route:?} has no refusal {refusal:?}: add it to its rules in portal-api"
        );
    }
}
