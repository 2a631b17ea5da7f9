//! What Portal's SDKs know of a client.

use axum::extract::State;
use portal_api::compat::ClientObject;

use super::known::Known;
use crate::{auth::AuthenticatedClient, error::ApiResult, json::Json, service::SharedService};

pub(crate) async fn client(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
) -> ApiResult<Json<ClientObject>> {
    let mut view = service.store.read().await?;
    Ok(Json(Known::read(&mut view, &client).await?.object()))
}
