//! What the routes answer, but for sessions.

mod client;
mod commit;
pub(crate) mod compat;
mod envelope;
mod identities;
mod path;
mod sets;

use axum::extract::State;
use serde::Serialize;

pub(crate) use self::{
    client::client,
    commit::commit,
    envelope::{envelope, store_envelope},
    identities::create_client,
    sets::{drop_pending, revoke},
};
use crate::{error::ApiResult, json::Json, service::SharedService};

/// That the service is up, or ready.
#[derive(Serialize)]
pub(crate) struct Health {
    status: &'static str,
}

pub(crate) async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

pub(crate) async fn ready(State(service): State<SharedService>) -> ApiResult<Json<Health>> {
    service.readiness.check(&service.store, &service.custody).await?;
    Ok(Json(Health { status: "ready" }))
}
