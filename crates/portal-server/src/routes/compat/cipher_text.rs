//! The ciphertext of a backup pair: stored once, and given back as it came.

use axum::extract::State;
use portal_api::{
    Nothing,
    compat::{BackupStage, CipherText, StoreCipherText},
};

use super::{body::Said, forward::Forward, known::Known};
use crate::{
    auth::AuthenticatedClient,
    error::{ApiError, ApiResult},
    json::Json,
    lifecycle::{self, Noticed, Refusal},
    routes::{envelope, path::PairPath},
    service::SharedService,
    store::lifecycle_sets,
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
    let slot = write.envelope_slot(&client.client, &row.set.id).await?;
    let slot = slot.ok_or(Refusal::NoSuchSet)?;
    // All pairs of a set have the same one.
    match (envelope::is_there(&envelope, &slot)?, noticed) {
        (true, Noticed::Completed) => return Ok(Json(Nothing {})),
        (true, Noticed::Pending(_)) => {}
        (false, Noticed::Completed) => {
            let late = "the set was completed without a ciphertext";
            return Err(ApiError::state_invalid(late));
        }
        (false, Noticed::Pending(set)) => {
            let fitting = envelope::fitting(&envelope, &client, &set.id, &slot)?;
            write.store_envelope(&client.client, &slot, &fitting).await?;
        }
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
