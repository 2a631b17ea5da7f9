//! Envelopes: stored once, and given back as they came.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use backup_core::{EncryptionContext, Envelope, MethodId};
use portal_mpc::OnCurve;
use sha2::{Digest, Sha256};

use super::path::BackupPath;
use crate::{
    auth::AuthenticatedClient,
    error::{ApiError, ApiResult},
    json::expect_media_type,
    lifecycle::Refusal,
    service::SharedService,
    signed::Signed,
    store::{BackupRow, StoredEnvelope},
};

pub(crate) async fn store_envelope(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    BackupPath(backup): BackupPath,
    signed: Signed,
) -> ApiResult<StatusCode> {
    expect_media_type(signed.headers(), "text/plain")?;
    let envelope = parse(signed.body())?;
    let sha256: [u8; 32] = Sha256::digest(envelope.as_str()).into();
    let mut write = service.store.write().await?;
    signed.verify_live(&client, &mut write).await?;
    let row = write.backup(&client.client, &backup).await?.ok_or(Refusal::NoSuchSet)?;
    match row.envelope_sha256 {
        Some(stored) if stored == sha256 => return Ok(StatusCode::NO_CONTENT),
        Some(_) => return Err(ApiError::state_invalid("the set has another envelope already")),
        None => expect_claims(&envelope, &client, &row)?,
    }
    let stored = StoredEnvelope {
        text: envelope.as_str(),
        sha256,
        enrollment: envelope.header().enrollment(),
    };
    write.store_envelope(&client.client, &backup, &stored).await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn envelope(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    BackupPath(backup): BackupPath,
) -> ApiResult<Response> {
    let text = service.store.read().await?.envelope(&client.client, &backup).await?;
    let text = text.ok_or_else(|| ApiError::not_found("there is no such set with an envelope"))?;
    Ok(([(header::CONTENT_TYPE, "text/plain")], text).into_response())
}

pub(super) fn parse(body: &[u8]) -> ApiResult<Envelope> {
    let text = str::from_utf8(body).map_err(|_| ApiError::bad_request("this is not text"))?;
    Envelope::parse(text).map_err(|error| ApiError::bad_request(error.to_string()))
}

/// What an envelope says about itself has to be what the service knows of its set.
pub(super) fn expect_claims(
    envelope: &Envelope,
    client: &EncryptionContext,
    row: &BackupRow,
) -> ApiResult<()> {
    let header = envelope.header();
    let is_of_set = header.context == *client
        && header.method == row.set.method
        && header.backup == row.set.id
        && has_pairs(envelope, row);
    if !is_of_set {
        return Err(ApiError::bad_request(
            "the envelope says that it is of another client, method, set or pairs",
        ));
    }
    if header.slot.is_none() && header.method != MethodId::CUSTOM {
        return Err(ApiError::bad_request("only the app's own store has envelopes without a slot"));
    }
    Ok(())
}

fn has_pairs(envelope: &Envelope, row: &BackupRow) -> bool {
    let sealed = &envelope.header().wallets;
    sealed.len() == row.pairs.iter().count()
        && row.pairs.iter().zip(sealed).all(|((_, pair), sealed)| {
            sealed.pair == pair.id
                && sealed.wallet.curve() == pair.curve()
                && sealed.wallet.as_bytes() == pair.public_key.as_bytes()
        })
}
