//! What an app tells of its pairs.

use axum::{extract::State, http::StatusCode};
use backup_core::SharePairId;
use portal_api::compat::{
    BackupPairNotice, BackupStage, SigningPairNotice, SigningStage, StoredNotice,
};

use super::{body::Said, forward::Forward, known::Known};
use crate::{
    auth::AuthenticatedClient,
    error::{ApiError, ApiResult},
    lifecycle::{self, Refusal},
    service::{Service, SharedService},
    store::{SigningRow, lifecycle_sets},
};

pub(crate) async fn backup_pair_notice(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    Said(notice): Said<BackupPairNotice>,
) -> ApiResult<StatusCode> {
    let mut write = service.store.write().await?;
    let known = Known::read(&mut write, &client).await?;
    let pairs = &notice.backup_share_pair_ids;
    let forward = Forward { pairs, to: notice.status, now: service.now() };
    forward.apply(&known, &mut write).await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A signing set becomes live by its test signature. An app's word adds nothing to that.
pub(crate) async fn signing_pair_notice(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    Said(notice): Said<SigningPairNotice>,
) -> ApiResult<StatusCode> {
    let sets = service.store.read().await?.signing_sets(&client.client).await?;
    if notice.signing_share_pair_ids.is_empty() {
        return Err(no_such_pairs());
    }
    for pair in &notice.signing_share_pair_ids {
        let set = sets.iter().find(|set| has(set, pair)).ok_or_else(no_such_pairs)?;
        match (set.is_live, notice.status) {
            (true, SigningStage::Client) | (false, SigningStage::Database) => {}
            (true, SigningStage::Database) => return Err(Refusal::Backwards.into()),
            (false, SigningStage::Client) => {
                let message = "the pair has yet to sign its test: confirm it";
                return Err(ApiError::state_invalid(message));
            }
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn stored_share(
    State(service): State<SharedService>,
    client: AuthenticatedClient,
    Said(notice): Said<StoredNotice>,
) -> ApiResult<StatusCode> {
    stored(&service, client, &notice, BackupStage::ClientShare).await
}

pub(crate) async fn stored_key(
    State(service): State<SharedService>,
    client: AuthenticatedClient,
    Said(notice): Said<StoredNotice>,
) -> ApiResult<StatusCode> {
    stored(&service, client, &notice, BackupStage::ClientKey).await
}

/// That it was not stored changes nothing: what is pending goes by itself, or by the next backup.
async fn stored(
    service: &Service,
    AuthenticatedClient(client): AuthenticatedClient,
    notice: &StoredNotice,
    to: BackupStage,
) -> ApiResult<StatusCode> {
    if !notice.success {
        return Ok(StatusCode::NO_CONTENT);
    }
    let mut write = service.store.write().await?;
    let known = Known::read(&mut write, &client).await?;
    let sets = lifecycle_sets(&known.backups);
    let set = lifecycle::noticed(&sets, notice.backup_method.as_ref())?;
    let row = known.backups.iter().find(|row| row.set.id == set.id).ok_or(Refusal::NoSuchSet)?;
    let behind = row.stages.iter().filter(|(_, stage)| *stage < to);
    let pairs: Vec<_> = behind.map(|(pair, _)| pair.clone()).collect();
    if !pairs.is_empty() {
        Forward { pairs: &pairs, to, now: service.now() }.apply(&known, &mut write).await?;
        write.commit().await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

fn has(set: &SigningRow, pair: &SharePairId) -> bool {
    set.pairs.iter().any(|(_, known)| known.pair.id == *pair)
}

fn no_such_pairs() -> ApiError {
    ApiError::not_found("this client has no such signing share pairs")
}
