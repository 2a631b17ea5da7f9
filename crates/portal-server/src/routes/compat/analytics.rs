//! Statistics that Portal's SDKs send: understood, and dropped.

use portal_api::compat::{Dropped, Identify, Track};

use super::body::Said;
use crate::{auth::AuthenticatedClient, json::Json};

pub(crate) async fn identify(_: AuthenticatedClient, _: Said<Identify>) -> Json<Dropped> {
    Json(Dropped { status: true, success: true })
}

pub(crate) async fn track(_: AuthenticatedClient, _: Said<Track>) -> Json<Dropped> {
    Json(Dropped { status: true, success: true })
}
