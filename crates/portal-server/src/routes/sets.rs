//! The end of backup sets that the user asks for: pending ones dropped, completed ones revoked.

use axum::{extract::State, http::StatusCode};
use portal_api::{Nothing, Revocations};

use super::path::BackupPath;
use crate::{
    auth::AuthenticatedClient, error::ApiResult, halves::Halves, lifecycle, metrics::Fate,
    service::SharedService, signed::Signed, store::lifecycle_sets,
};

pub(crate) async fn drop_pending(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    BackupPath(backup): BackupPath,
    signed: Signed,
) -> ApiResult<StatusCode> {
    let Nothing {} = signed.json()?;
    let mut write = service.store.write().await?;
    signed.verify_live(&client, &mut write).await?;
    let sets = lifecycle_sets(&write.backups(&client.client).await?);
    if let Some(set) = lifecycle::drop_pending(&sets, &backup)? {
        write.delete_backup(&client.client, &set.id).await?;
        write.commit().await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn revoke(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    signed: Signed,
) -> ApiResult<StatusCode> {
    let Revocations { backups } = signed.json()?;
    signed.verify_live(&client, &mut service.store.read().await?).await?;
    // A backup whose half is lost is no reason to destroy another one.
    let missing = Halves::of(&service, &client).missing().await?;
    let mut write = service.store.write().await?;
    signed.verify_live(&client, &mut write).await?;
    let sets = missing.hidden_in(&write.backups(&client.client).await?);
    let revoked = lifecycle::revoke(&sets, &backups)?;
    if revoked.is_empty() {
        return Ok(StatusCode::NO_CONTENT);
    }
    for set in revoked {
        write.delete_backup(&client.client, &set.id).await?;
        write.count(Fate::Revoked);
    }
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
