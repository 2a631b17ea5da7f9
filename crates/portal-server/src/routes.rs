//! What the routes answer, but for sessions.

mod client;
mod commit;
pub(crate) mod compat;
mod envelope;
mod identities;
mod path;
mod sets;

use serde::Serialize;

pub(crate) use self::{
    client::client,
    commit::commit,
    envelope::{envelope, store_envelope},
    identities::create_client,
    sets::{drop_pending, revoke},
};
use crate::json::Json;

/// That the service is up.
#[derive(Serialize)]
pub(crate) struct Health {
    status: &'static str,
}

pub(crate) async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}
