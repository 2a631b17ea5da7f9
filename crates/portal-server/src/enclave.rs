//! The passkey enclave, mounted: around its routes stands what is around all others.

mod backups;
mod options;
mod provider;

use std::{error::Error as StdError, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::Response,
    routing::{MethodRouter, get, get_service, post_service},
};
use backup_core::{Error, Result};
use backup_methods_passkey::enclave::{self as library, Clock, Enclave, Refusal};
use portal_api::{ErrorId, route::Route};
use serde::{
    Deserialize,
    de::{IntoDeserializer, value},
};
use serde_json::json;

pub use self::options::EnclaveOptions;
use self::{backups::PasskeyBackups, provider::Provider};
use crate::{
    around::Places,
    auth::AuthenticatedClient,
    body, bounds,
    error::{ApiResult, Cause},
    json::{Json, expect_media_type},
    metrics::Reason,
    router,
    service::{Service, SharedService},
    store::StoreError,
};

/// All routes of the enclave and what is around them, on their own origin or among those of the
/// service.
pub(crate) fn routes(
    service: &SharedService,
    places: &Places,
    options: &EnclaveOptions,
) -> Result<Router> {
    let enclave = Enclave::new(
        options.config()?,
        Arc::new(service.store.clone()),
        Arc::new(Provider(service.custody.clone())),
        Arc::new(PasskeyBackups(service.store.clone())),
        Arc::new(Now(Arc::clone(service))),
    );
    let answering = library::router(Arc::new(enclave));
    let routes = Route::ALL.into_iter().filter(|route| route.is_enclaves());
    let routes = router::of(routes, |route| match route {
        Route::RelatedOrigins => related_origins(options),
        route => passkeys(route, service, &answering),
    });
    let routes = router::around(places.clone(), routes.with_state(Arc::clone(service)));
    let page = router::around(places.clone(), page());
    // Without such origins nothing is added, and a preflight is refused like any other method.
    if options.cors.is_empty() {
        return Ok(routes.merge(page));
    }
    // Outermost, so that a page is also told to slow down.
    let origins: Vec<_> = options.cors.iter().map(String::as_str).collect();
    Ok(library::cross_origin(routes, &origins)?.merge(page))
}

/// The page on which programs without one have passkeys asked for. It refuses as all routes do.
fn page() -> Router {
    library::page()
        .route_layer(middleware::map_request(bounds::expect_no_body))
        .method_not_allowed_fallback(router::method_not_allowed)
}

/// What browsers ask the relying party's domain before a page of another one may use its passkeys:
/// WebAuthn Level 3, section 5.11.1.
fn related_origins(options: &EnclaveOptions) -> MethodRouter<SharedService> {
    let origins: Vec<_> =
        options.origins.iter().filter(|origin| origin.starts_with("https://")).cloned().collect();
    let answer = json!({ "origins": origins });
    get(async move || Json(answer))
}

/// The library finds the same route once more.
fn passkeys(
    route: Route,
    service: &SharedService,
    answering: &Router,
) -> MethodRouter<SharedService> {
    let answering = answering.clone();
    let answering = if route.reads() { get_service(answering) } else { post_service(answering) };
    answering
        .route_layer(middleware::from_fn_with_state(Arc::clone(service), of_a_client))
        .route_layer(middleware::map_response(async |mut response: Response| {
            let no_store = HeaderValue::from_static("no-store");
            response.headers_mut().insert(header::CACHE_CONTROL, no_store);
            response
        }))
}

/// Hands the request of a client on to the library: what is no such request it never sees, and
/// nothing is noted of it.
async fn of_a_client(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    request: Request,
    next: Next,
) -> ApiResult<Response> {
    let is_post = request.method() == Method::POST;
    let mut request = if is_post { whole(&service, request).await? } else { request };
    request.extensions_mut().insert(client);
    Ok(told(next.run(request).await))
}

/// With all of its body, which says that it is JSON.
async fn whole(service: &Service, request: Request) -> ApiResult<Request> {
    let (parts, body) = request.into_parts();
    let body = body::read(Request::from_parts(parts.clone(), body), service).await?;
    expect_media_type(&parts.headers, "application/json")?;
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// Tells the log and the meters why the library refused.
fn told(mut response: Response) -> Response {
    let Some(refusal) = response.extensions().get::<Arc<Refusal>>().cloned() else {
        return response;
    };
    let (status, id) = refusal.on_the_wire();
    let id: Result<_, value::Error> = ErrorId::deserialize(id.into_deserializer());
    response.extensions_mut().insert(id.unwrap_or(ErrorId::Unknown));
    if let Refusal::Failed(error) = &*refusal {
        response.extensions_mut().insert(cause(error));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let is_database = error.source().is_some_and(<dyn StdError>::is::<StoreError>);
            let reason = if is_database { Reason::Database } else { Reason::Key };
            response.extensions_mut().insert(reason);
        }
    }
    response
}

fn cause(error: &Error) -> Cause {
    let source = error.source().map(|source| format!(": {source}"));
    Cause(format!("{error}{}", source.unwrap_or_default()).into())
}

/// The service's clock, as the library asks for it.
#[derive(Debug)]
struct Now(SharedService);

impl Clock for Now {
    fn unix_seconds(&self) -> u64 {
        self.0.now()
    }
}
