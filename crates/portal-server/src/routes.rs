//! What the routes answer, but for sessions.

mod client;
mod commit;
pub(crate) mod compat;
mod envelope;
mod identities;
mod path;
mod sets;
mod webhook;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use portal_api::Health;

pub(crate) use self::{
    client::client,
    commit::commit,
    envelope::{envelope, store_envelope},
    identities::create_client,
    sets::{drop_pending, revoke},
    webhook::{erased_pairs, register_webhook, webhook},
};
use crate::{error::ApiResult, json::Json, readiness::Keys, service::SharedService};

pub(crate) async fn health() -> Json<Health> {
    Json(Health { status: "ok".to_owned() })
}

/// What all routes are: the same for everybody.
pub(crate) async fn description() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], portal_api::OPENAPI).into_response()
}

pub(crate) async fn ready(State(service): State<SharedService>) -> ApiResult<Json<Health>> {
    let keys = service.readiness.check(&service.store, &service.custody).await?;
    let status = match keys {
        Keys::All => "ready",
        Keys::Some => "degraded",
    };
    Ok(Json(Health { status: status.to_owned() }))
}
