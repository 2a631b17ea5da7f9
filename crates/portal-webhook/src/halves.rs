//! What the service asks for: to keep a half, and to give all of a client's back.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::{Extensions, HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use portal_api::webhook::{FetchedHalves, PostedHalf, WantedHalves};
use zeroize::Zeroizing;

use crate::{
    error::Refusal,
    store::{Kind, Place},
    webhook::Shared,
};

pub(crate) async fn keep(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    shared.check(&headers, &extensions, &body).await?;
    let posted: PostedHalf = serde_json::from_slice(&body).map_err(|_| Refusal::BODY)?;
    if posted.share.is_empty() || !is_name(&posted.backup_method) {
        return Err(Refusal::NAMES);
    }
    let place = Place {
        kind: Kind::Half,
        client: posted.client_id,
        method: posted.backup_method,
        pair: posted.backup_share_pair_id.unwrap_or_default(),
    };
    shared.vault.keep(place, &posted.share).await?;
    // Portal's documents ask for this status and no other.
    Ok(StatusCode::OK)
}

pub(crate) async fn fetch(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Bytes,
) -> Result<Response, Refusal> {
    shared.check(&headers, &extensions, &body).await?;
    let wanted: WantedHalves = serde_json::from_slice(&body).map_err(|_| Refusal::BODY)?;
    let halves = shared.vault.all(Kind::Half, &wanted.client_id).await?;
    let halves = FetchedHalves::new(halves.into_iter().map(|opened| opened.value).collect());
    let json = serde_json::to_vec(&halves).map(Zeroizing::new).expect("it is plain text");
    // Erased once they have left.
    Ok(([(header::CONTENT_TYPE, "application/json")], Bytes::from_owner(json)).into_response())
}

impl Shared {
    async fn check(
        &self,
        headers: &HeaderMap,
        extensions: &Extensions,
        body: &Bytes,
    ) -> Result<(), Refusal> {
        self.caller.check(headers, extensions, body, &*self.vault.store).await
    }
}

/// As ids are.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
