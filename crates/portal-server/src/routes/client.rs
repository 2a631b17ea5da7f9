//! What there is of a client.

use axum::extract::State;
use portal_api::{
    BackupPairView, BackupSetView, BackupStatus, ClientView, PerCurve, SigningPairView,
    SigningSetView, SigningStatus,
};

use crate::{
    auth::AuthenticatedClient,
    error::{ApiError, ApiResult},
    json::Json,
    lifecycle::{self, BackupSet},
    service::SharedService,
    store::{BackupRow, PairRow, SigningPairRow, SigningRow, lifecycle_sets},
};

pub(crate) async fn client(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
) -> ApiResult<Json<ClientView>> {
    let mut read = service.store.read().await?;
    let row = read.client(&client.custodian, &client.client).await?;
    let row = row.ok_or_else(|| ApiError::not_found("there is no such client"))?;
    let signing = read.signing_sets(&client.client).await?;
    let mut backups = read.backups(&client.client).await?;
    backups.retain(|row| lifecycle::is_told_of(&row.set));
    let (live, pending): (Vec<_>, Vec<_>) = signing.into_iter().partition(|set| set.is_live);
    Ok(Json(ClientView {
        custodian_id: client.custodian,
        id: client.client,
        backup_with_portal: row.backup_with_portal,
        signing: live.into_iter().next().map(signing_view),
        pending_signing: pending.into_iter().map(signing_view).collect(),
        backups: backup_views(backups, service.grace_seconds),
    }))
}

/// The view of one set among all of its client's.
pub(super) fn backup_view(row: BackupRow, all: &[BackupSet], grace_seconds: u64) -> BackupSetView {
    let head = lifecycle::head(all, &row.set.method);
    BackupSetView {
        status: status(&row.set),
        completion: row.set.completion,
        head: head.is_some_and(|head| head.id == row.set.id),
        proved: row.set.is_proved(),
        created_at: row.created_at,
        completed_at: row.completed_at,
        retires_at: lifecycle::retires_at(all, &row.set, grace_seconds),
        device_key: row.device_key,
        envelope_sha256: row.envelope_sha256,
        pairs: PerCurve::from(row.pairs.map(backup_pair_view)),
        id: row.set.id,
        method: row.set.method,
    }
}

fn backup_views(rows: Vec<BackupRow>, grace_seconds: u64) -> Vec<BackupSetView> {
    let all = lifecycle_sets(&rows);
    rows.into_iter().map(|row| backup_view(row, &all, grace_seconds)).collect()
}

fn status(set: &BackupSet) -> BackupStatus {
    if set.is_completed() { BackupStatus::Completed } else { BackupStatus::Pending }
}

fn backup_pair_view(PairRow { id, public_key }: PairRow) -> BackupPairView {
    BackupPairView { id, public_key: public_key.as_bytes().to_vec() }
}

fn signing_view(row: SigningRow) -> SigningSetView {
    SigningSetView {
        device_key: row.device_key,
        status: if row.is_live { SigningStatus::Live } else { SigningStatus::Pending },
        created_at: row.created_at,
        replaces: row.replaces,
        recovered_from: row.recovered_from,
        pairs: PerCurve::from(row.pairs.map(signing_pair_view)),
    }
}

fn signing_pair_view(SigningPairRow { pair, frozen }: SigningPairRow) -> SigningPairView {
    SigningPairView { id: pair.id, public_key: pair.public_key.as_bytes().to_vec(), frozen }
}
