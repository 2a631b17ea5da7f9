//! Statistics that Portal's SDKs send: understood, and dropped.

use portal_api::compat::{Identify, Track};
use serde::Serialize;

use super::body::Said;
use crate::{auth::AuthenticatedClient, json::Json};

/// That it was understood.
#[derive(Serialize)]
pub(crate) struct Dropped {
    status: bool,
}

pub(crate) async fn identify(_: AuthenticatedClient, _: Said<Identify>) -> Json<Dropped> {
    Json(Dropped { status: true })
}

pub(crate) async fn track(_: AuthenticatedClient, _: Said<Track>) -> Json<Dropped> {
    Json(Dropped { status: true })
}
