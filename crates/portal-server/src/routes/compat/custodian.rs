//! A custodian's clients, and their session tokens.

use std::collections::HashMap;

use axum::{
    extract::{Request, State},
    http::StatusCode,
};
use backup_core::{ClientId, CustodianId, EncryptionContext};
use portal_api::{
    ClientSession,
    compat::{ClientObject, ClientObjects},
};
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::known::Known;
use crate::{
    api_key::{ApiKey, Audience},
    auth::AuthenticatedCustodian,
    body,
    error::{ApiError, ApiResult},
    json::{self, Json},
    routes::path::ClientPath,
    service::{Service, SharedService},
    store::{ClientRow, Snapshot},
};

pub(crate) async fn clients(
    State(service): State<SharedService>,
    AuthenticatedCustodian(custodian): AuthenticatedCustodian,
) -> ApiResult<Json<ClientObjects>> {
    let mut view = service.store.read().await?;
    let mut results = Vec::new();
    for client in view.clients(&custodian).await? {
        let context = EncryptionContext::new(custodian.clone(), client);
        results.push(Known::read(&mut view, &context).await?.object());
    }
    Ok(Json(ClientObjects { results }))
}

pub(crate) async fn client_of_custodian(
    State(service): State<SharedService>,
    AuthenticatedCustodian(custodian): AuthenticatedCustodian,
    ClientPath(client): ClientPath,
) -> ApiResult<Json<ClientObject>> {
    let context = EncryptionContext::new(custodian, client);
    let mut view = service.store.read().await?;
    Ok(Json(Known::read(&mut view, &context).await?.object()))
}

pub(crate) async fn create_client_session(
    State(service): State<SharedService>,
    AuthenticatedCustodian(custodian): AuthenticatedCustodian,
    ClientPath(client): ClientPath,
    request: Request,
) -> ApiResult<Json<ClientSession>> {
    expect_nothing(request, &service).await?;
    let token = ApiKey::generate(Audience::Session)?;
    let mut write = service.store.write().await?;
    let row = find(&mut write, &custodian, &client).await?;
    write.insert_session_token(&row.id, &token.hash(), service.now()).await?;
    write.commit().await?;
    Ok(Json(ClientSession {
        id: row.id.as_str().to_owned(),
        client_session_token: Zeroizing::new(token.expose().to_owned()),
        is_account_abstracted: row.is_account_abstracted,
    }))
}

pub(crate) async fn end_client_sessions(
    State(service): State<SharedService>,
    AuthenticatedCustodian(custodian): AuthenticatedCustodian,
    ClientPath(client): ClientPath,
    request: Request,
) -> ApiResult<StatusCode> {
    expect_nothing(request, &service).await?;
    let mut write = service.store.write().await?;
    let row = find(&mut write, &custodian, &client).await?;
    write.end_session_tokens(&row.id).await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(
    view: &mut Snapshot,
    custodian: &CustodianId,
    client: &ClientId,
) -> ApiResult<ClientRow> {
    let row = view.client(custodian, client).await?;
    row.ok_or_else(|| ApiError::not_found("there is no such client"))
}

/// There is nothing to say: no body, or an object of whatever.
async fn expect_nothing(request: Request, service: &Service) -> ApiResult<()> {
    let headers = request.headers().clone();
    let body = body::read(request, service).await?;
    if !body.is_empty() {
        json::parse::<HashMap<String, IgnoredAny>>(&headers, &body)?;
    }
    Ok(())
}
