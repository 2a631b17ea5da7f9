//! The routes, put together.

use std::{future::ready, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware,
    routing::{MethodRouter, delete, get, patch, post, put},
};
use portal_api::route::Route;
use tokio::sync::Semaphore;

use crate::{
    around::{self, Places},
    bounds, described,
    error::ApiError,
    rates::Rates,
    routes::{self, compat},
    service::SharedService,
    sessions,
};

/// Places for all requests of a service, wherever it listens.
pub(crate) fn places(service: &SharedService) -> Places {
    Places {
        free: Arc::new(Semaphore::new(service.limits.requests)),
        rates: Rates::new(&service.limits).into(),
        service: Arc::clone(service),
    }
}

/// All routes but the enclave's.
pub(crate) fn routes(service: &SharedService) -> Router {
    let routes = Route::ALL.into_iter().filter(|route| !route.is_enclaves());
    of(routes, handler).with_state(Arc::clone(service))
}

/// The enclave's routes where there is none.
pub(crate) fn no_enclave(service: &SharedService) -> Router {
    let routes = Route::ALL.into_iter().filter(|route| route.is_enclaves());
    of(routes, handler).with_state(Arc::clone(service))
}

/// Whether there is somebody, for a listener that has few other routes.
pub(crate) fn watched(service: &SharedService) -> Router {
    of([Route::Health, Route::Ready], handler).with_state(Arc::clone(service))
}

/// All that a listener answers: these routes, and that there are no others.
pub(crate) fn all(places: Places, routes: Router) -> Router {
    around(places, routes.fallback(async || ApiError::not_found("there is no such route")))
}

/// What is around every route.
pub(crate) fn around(places: Places, routes: Router) -> Router {
    routes
        .layer(middleware::from_fn(bounds::keep))
        .layer(middleware::from_fn_with_state(places, around::answer))
}

/// These routes, each with what answers it.
pub(crate) fn of(
    routes: impl IntoIterator<Item = Route>,
    handler: impl Fn(Route) -> MethodRouter<SharedService>,
) -> Router<SharedService> {
    let routes = routes.into_iter().fold(Router::new(), |router, route| {
        let bounded = bounded(route, handler(route));
        let router = router.route(route.path(), bounded.clone());
        if route.is_portals() {
            router.route(&format!("{}/", route.path()), bounded)
        } else {
            router
        }
    });
    routes.method_not_allowed_fallback(method_not_allowed)
}

/// What answers a route, with as much of a body as it takes.
fn bounded(route: Route, handler: MethodRouter<SharedService>) -> MethodRouter<SharedService> {
    let handler = match route.body() {
        Some(body) => handler.layer(DefaultBodyLimit::max(body.max_len)),
        None => handler.route_layer(middleware::map_request(bounds::expect_no_body)),
    };
    let note = move |response| ready(described::note(route, response));
    handler.route_layer(middleware::map_response(note))
}

fn handler(route: Route) -> MethodRouter<SharedService> {
    match route {
        Route::Health => get(routes::health),
        Route::Ready => get(routes::ready),
        Route::Description => get(routes::description),
        Route::CreateClient => post(routes::create_client),
        Route::Client => get(routes::client),
        Route::FirstPost => post(sessions::first),
        Route::SecondPost => post(sessions::second),
        Route::StoreEnvelope => put(routes::store_envelope),
        Route::Envelope => get(routes::envelope),
        Route::Commit => post(routes::commit),
        Route::DropPending => post(routes::drop_pending),
        Route::Revoke => post(routes::revoke),
        Route::ClientObject => get(compat::client),
        Route::BackupPairs => get(compat::backup_pairs),
        Route::SigningPairs => get(compat::signing_pairs),
        Route::StoreCipherText => patch(compat::store_cipher_text),
        Route::CipherText => get(compat::cipher_text),
        Route::BackupPairNotice => patch(compat::backup_pair_notice),
        Route::SigningPairNotice => patch(compat::signing_pair_notice),
        Route::StoredShare | Route::StoredShareV1 => put(compat::stored_share),
        Route::StoredKey => put(compat::stored_key),
        Route::Identify => post(compat::identify),
        Route::Track => post(compat::track),
        Route::PrepareEject => post(compat::prepare_eject),
        Route::EjectableShares => get(compat::ejectable_shares),
        Route::Ejected => post(compat::ejected),
        Route::RegisterWebhook | Route::RegisterWebhookShort => post(routes::register_webhook),
        Route::Webhook => get(routes::webhook),
        Route::ErasedPairs => post(routes::erased_pairs),
        Route::EnableEject => patch(compat::enable_eject),
        Route::EjectableSharesOfCustodian => get(compat::ejectable_shares_of_custodian),
        Route::Clients => get(compat::clients),
        Route::ClientOfCustodian => get(compat::client_of_custodian),
        Route::CreateClientSession | Route::CreateClientSessionV1 => {
            post(compat::create_client_session)
        }
        Route::EndClientSessions => delete(compat::end_client_sessions),
        Route::Passkeys | Route::PasskeyKeys | Route::PasskeyStatus | Route::RelatedOrigins => {
            get(not_here)
        }
        Route::BeginRegistration
        | Route::FinishRegistration
        | Route::BeginLogin
        | Route::ReadKey
        | Route::WriteKey
        | Route::DeleteKey
        | Route::GrantKeys
        | Route::RenamePasskey
        | Route::RemovePasskey => post(not_here),
    }
}

/// Where an enclave is, it answers its routes itself.
async fn not_here() -> ApiError {
    ApiError::not_found("there is no passkey enclave here")
}

pub(crate) async fn method_not_allowed() -> ApiError {
    ApiError::bad_request("this route has no such method")
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
}
