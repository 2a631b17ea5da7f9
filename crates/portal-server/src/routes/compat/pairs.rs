//! The share pairs of one wallet, in lists.

use axum::extract::State;
use backup_core::EncryptionContext;
use portal_api::compat::{BackupPairObject, SigningPairObject};
use portal_mpc::PublicKey;

use super::known::Known;
use crate::{
    auth::AuthenticatedClient,
    error::ApiResult,
    json::Json,
    routes::path::WalletPath,
    service::{Service, SharedService},
};

pub(crate) async fn backup_pairs(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    WalletPath(wallet): WalletPath,
) -> ApiResult<Json<Vec<BackupPairObject>>> {
    let (known, wallet) = find(&service, &client, &wallet).await?;
    Ok(Json(known.backup_pairs(&wallet)))
}

pub(crate) async fn signing_pairs(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    WalletPath(wallet): WalletPath,
) -> ApiResult<Json<Vec<SigningPairObject>>> {
    let (known, wallet) = find(&service, &client, &wallet).await?;
    Ok(Json(known.signing_pairs(&wallet)))
}

async fn find(
    service: &Service,
    client: &EncryptionContext,
    wallet: &str,
) -> ApiResult<(Known, PublicKey)> {
    let mut view = service.store.read().await?;
    let known = Known::read(&mut view, client).await?;
    let wallet = known.wallet(wallet)?;
    Ok((known, wallet))
}
