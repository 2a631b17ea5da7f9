//! What a client asks for to eject a wallet: the custodian's half, for who holds the other one.

use axum::{extract::State, http::StatusCode};
use backup_core::EncryptionContext;
use portal_api::{
    ErrorId, ReleasedHalf,
    compat::{EjectableShares, Ejected, PrepareEject, PreparedEject},
    release_statement,
};
use portal_mpc::{HoldProof, PairId};

use super::{
    body::Said,
    known::Known,
    releasable::{self, Releasable},
};
use crate::{
    auth::AuthenticatedClient,
    error::{ApiError, ApiResult},
    json::Json,
    routes::path::WalletPath,
    service::SharedService,
    store::Audience,
};

/// The half leaves encrypted to a key of the request, over which the proof is: so the API key, with
/// all that was ever sent, is no way to it.
pub(crate) async fn prepare_eject(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    WalletPath(wallet): WalletPath,
    Said(request): Said<PrepareEject>,
) -> ApiResult<Json<PreparedEject>> {
    let mut view = service.store.read().await?;
    let known = Known::read(&mut view, &client).await?;
    let releasable = releasable::of_pair(&known, &wallet, &request, service.now())?;
    let half = releasable.open(&service, &client, view).await?;
    let pair = &request.backup_share_pair_id;
    let statement = release_statement(&client, pair, &request.recipient);
    let proof = HoldProof::from(request.proof);
    half.commitments()
        .verify(PairId::from_name(pair.as_str()), &statement, &proof)
        .map_err(|_| no_proof())?;
    let sealed = ReleasedHalf::seal(&client, pair, &request.recipient, &half.to_bytes());
    let sealed = sealed.map_err(|_| ApiError::bad_request("the recipient is no X25519 key"))?;
    releasable.note(&service, &client, Audience::Client).await?;
    let share = serde_json::to_string(&sealed).map_err(ApiError::internal)?;
    Ok(Json(PreparedEject { share }))
}

/// The client's half of the newest backup; the custodian's takes a proof, which has no place here.
pub(crate) async fn ejectable_shares(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    WalletPath(wallet): WalletPath,
) -> ApiResult<Json<EjectableShares>> {
    let mut view = service.store.read().await?;
    let known = Known::read(&mut view, &client).await?;
    let Releasable { backup, .. } = releasable::newest(&known, &wallet, service.now())?;
    Ok(Json(EjectableShares {
        encrypted_client_backup_share: view.envelope(&client.client, &backup).await?,
        custodian_backup_share: None,
    }))
}

/// That a wallet was ejected is known since its half was released; without that it was not.
pub(crate) async fn ejected(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    Said(Ejected { client_platform, client_platform_version }): Said<Ejected>,
) -> ApiResult<StatusCode> {
    let mut view = service.store.read().await?;
    if view.first_release(&client.client).await?.is_none() {
        return Err(ApiError::state_invalid("no wallet of this client can have been ejected"));
    }
    log(&client, &client_platform, &client_platform_version);
    Ok(StatusCode::NO_CONTENT)
}

fn log(EncryptionContext { client, .. }: &EncryptionContext, platform: &str, version: &str) {
    tracing::info!(%client, ?platform, ?version, "a wallet was ejected");
}

fn no_proof() -> ApiError {
    ApiError::new(
        ErrorId::DkgRefreshMismatch,
        "this needs a proof that who asks holds the other half of this backup: open it first",
    )
}
