//! A custodian's clients, and their session tokens.

use std::collections::HashMap;

use axum::{
    extract::{Query, Request, State, rejection::QueryRejection},
    http::StatusCode,
};
use backup_core::{ClientId, CustodianId, EncryptionContext};
use portal_api::{
    ClientSession,
    compat::{ClientObject, ClientObjects, ClientsQuery, MOST_CLIENTS, PageMetadata},
};
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::known::Known;
use crate::{
    api_key::{ApiKey, Audience},
    auth::{AuthenticatedByKey, AuthenticatedCustodian},
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
    page: Result<Query<ClientsQuery>, QueryRejection>,
) -> ApiResult<Json<ClientObjects>> {
    let page = Page::of(page)?;
    let mut view = service.store.read().await?;
    if let Some(cursor) = &page.cursor
        && view.client(&custodian, cursor).await?.is_none()
    {
        return Err(ApiError::bad_request("cursor has to be the id of one of your clients"));
    }
    // One more than is told of shows whether there is another page.
    let mut clients = view.clients_after(&custodian, page.cursor.as_ref(), page.take + 1).await?;
    let is_last = clients.len() <= page.take as usize;
    clients.truncate(page.take as usize);
    let cursor = clients.last().filter(|_| !is_last).map(ToString::to_string);
    let total = view.count_clients(&custodian).await?;
    let mut results = Vec::new();
    for client in clients {
        let context = EncryptionContext::new(custodian.clone(), client);
        results.push(Known::read(&mut view, &context).await?.object());
    }
    let metadata = PageMetadata { cursor, take: page.take, total };
    Ok(Json(ClientObjects { results, metadata }))
}

/// Which clients are asked for.
struct Page {
    cursor: Option<ClientId>,
    take: u32,
}

impl Page {
    fn of(query: Result<Query<ClientsQuery>, QueryRejection>) -> ApiResult<Self> {
        let wrong = "the query takes cursor, the id of a client, and take, a number from 1 to 100";
        let wrong = || ApiError::bad_request(wrong);
        let Query(ClientsQuery { cursor, take }) = query.map_err(|_| wrong())?;
        let cursor = cursor.map(ClientId::new).transpose().map_err(|_| wrong())?;
        let take = take.unwrap_or(MOST_CLIENTS);
        if (1..=MOST_CLIENTS).contains(&take) { Ok(Self { cursor, take }) } else { Err(wrong()) }
    }
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
    AuthenticatedByKey(custodian, key): AuthenticatedByKey,
    ClientPath(client): ClientPath,
    request: Request,
) -> ApiResult<Json<ClientSession>> {
    expect_nothing(request, &service).await?;
    let token = ApiKey::generate(Audience::Session)?;
    let mut write = service.store.write().await?;
    let row = find(&mut write, &custodian, &client).await?;
    write.insert_session_token(&row.id, &token.hash(), &key, service.now()).await?;
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
