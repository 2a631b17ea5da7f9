//! Sessions of the two-party protocols: one operation in two posts and two replies.
//!
//! `docs/service.md` says what each of them means.

mod exchange;
mod first;
mod in_progress;
mod operation;
mod posted;
mod seal;
mod second;
mod sets;
mod shares;
mod subject;
mod trouble;

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State, rejection::PathRejection},
    http::header,
    response::{IntoResponse, Response},
};
use portal_api::MEDIA_TYPE;

pub(crate) use self::in_progress::InProgress;
use self::{
    exchange::{Exchange, Reply},
    posted::Posted,
};
use crate::{
    auth::AuthenticatedClient,
    error::{ApiError, ApiResult},
    service::SharedService,
    signed::Signed,
};

/// Opens a session.
pub(crate) async fn first(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    signed: Signed,
) -> ApiResult<Response> {
    let posted = Arc::new(Posted::of(&signed)?);
    let exchange =
        Exchange { service: &service, client: &client, signed: &signed, posted: &posted };
    first::answer(exchange).await.map(response)
}

/// Ends a session.
pub(crate) async fn second(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    session: Result<Path<String>, PathRejection>,
    signed: Signed,
) -> ApiResult<Response> {
    let no_id = |_| ApiError::bad_request("the path holds no id of a session");
    let Path(session) = session.map_err(no_id)?;
    let posted = Arc::new(Posted::of(&signed)?);
    let exchange =
        Exchange { service: &service, client: &client, signed: &signed, posted: &posted };
    second::answer(exchange, &session).await.map(response)
}

/// The bytes are erased once they have left.
fn response(reply: Reply) -> Response {
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], Bytes::from_owner(reply)).into_response()
}
