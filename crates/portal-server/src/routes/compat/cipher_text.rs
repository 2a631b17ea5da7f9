//! The ciphertext of a backup pair: stored once, and given back as it came.

use axum::extract::State;
use backup_core::{EncryptionContext, Envelope};
use portal_api::{
    Nothing,
    compat::{BackupStage, CipherText, StoreCipherText},
};
use sha2::{Digest, Sha256};

use super::{body::Said, forward::Forward, known::Known};
use crate::{
    auth::AuthenticatedClient,
    error::{ApiError, ApiResult},
    json::Json,
    lifecycle::{self, Noticed},
    routes::{
        envelope::{self, expect_claims},
        path::PairPath,
    },
    service::SharedService,
    store::{BackupRow, StoredEnvelope, Write, lifecycle_sets},
};

/// Where the service keeps the ciphertexts, the one of its last pair completes a set.
pub(crate) async fn store_cipher_text(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    PairPath(pair): PairPath,
    Said(StoreCipherText { client_cipher_text }): Said<StoreCipherText>,
) -> ApiResult<Json<Nothing>> {
    let envelope = envelope::parse(client_cipher_text.as_bytes())?;
    let mut write = service.store.write().await?;
    let known = Known::read(&mut write, &client).await?;
    let row = known.backup_of(&pair)?;
    if !known.client.backup_with_portal {
        return Err(ApiError::state_invalid(
            "the ciphertexts of this custodian are kept by its apps",
        ));
    }
    let sets = lifecycle_sets(&known.backups);
    let noticed = lifecycle::notice(&sets, &row.set.id)?;
    let is_stored = store(&client, row, &envelope, &mut write).await?;
    if noticed == Noticed::Completed {
        let late = || ApiError::state_invalid("the set was completed without a ciphertext");
        return if is_stored { Ok(Json(Nothing {})) } else { Err(late()) };
    }
    let known = Known::read(&mut write, &client).await?;
    let (pairs, to) = (&[pair], BackupStage::ClientShare);
    Forward { pairs, to, now: service.now() }.apply(&known, &mut write).await?;
    write.commit().await?;
    Ok(Json(Nothing {}))
}

pub(crate) async fn cipher_text(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    PairPath(pair): PairPath,
) -> ApiResult<Json<CipherText>> {
    let mut view = service.store.read().await?;
    let known = Known::read(&mut view, &client).await?;
    let row = known.backup_of(&pair)?;
    let text = view.envelope(&client.client, &row.set.id).await?;
    let none = || ApiError::not_found("this share pair has no ciphertext");
    Ok(Json(CipherText { cipher_text: text.ok_or_else(none)? }))
}

/// All pairs of a set have the same one. Whether it was there before.
async fn store(
    client: &EncryptionContext,
    row: &BackupRow,
    envelope: &Envelope,
    write: &mut Write,
) -> ApiResult<bool> {
    let sha256: [u8; 32] = Sha256::digest(envelope.as_str()).into();
    match row.envelope_sha256 {
        Some(stored) if stored == sha256 => return Ok(true),
        Some(_) => return Err(ApiError::state_invalid("the set has another ciphertext already")),
        None => expect_claims(envelope, client, row)?,
    }
    let enrollment = envelope.header().enrollment();
    let stored = StoredEnvelope { text: envelope.as_str(), sha256, enrollment };
    write.store_envelope(&client.client, &row.set.id, &stored).await?;
    Ok(false)
}
