//! A custodian lets a client eject a wallet for a while, and reads the half that it has itself.

use axum::extract::State;
use backup_core::EncryptionContext;
use base64ct::{Base64UrlUnpadded, Encoding};
use portal_api::compat::{EjectEnabled, EjectableShare, EjectableShares, EnableEject, Timestamp};
use zeroize::Zeroizing;

use super::{body::Said, known::Known, releasable};
use crate::{
    auth::AuthenticatedCustodian,
    error::{ApiError, ApiResult},
    json::Json,
    routes::path::{ClientPath, ClientWalletPath},
    service::{SharedService, USUAL_EJECT_SECONDS},
    store::{Audience, EjectWindow},
};

pub(crate) async fn enable_eject(
    State(service): State<SharedService>,
    AuthenticatedCustodian(custodian): AuthenticatedCustodian,
    ClientPath(client): ClientPath,
    Said(EnableEject { wallet_id, ejectable_until }): Said<EnableEject>,
) -> ApiResult<Json<EjectEnabled>> {
    let now = service.now();
    let Timestamp(until) = ejectable_until.unwrap_or(Timestamp(now + USUAL_EJECT_SECONDS));
    if until < now + LEAST_SECONDS {
        return Err(ApiError::bad_request("ejectableUntil has to be a minute ahead at least"));
    }
    let most = service.longest_eject_seconds;
    if until > now.saturating_add(most) {
        return Err(ApiError::bad_request(format!(
            "ejectableUntil may be {most} seconds ahead at most: name an earlier time"
        )));
    }
    let context = EncryptionContext::new(custodian, client);
    let mut write = service.store.write().await?;
    let known = Known::read(&mut write, &context).await?;
    known.wallet(&wallet_id)?;
    let window = EjectWindow { wallet: wallet_id, until };
    write.set_eject_window(&context.client, &window).await?;
    write.commit().await?;
    Ok(Json(EjectEnabled { ejectable_until: Timestamp(until) }))
}

/// Both halves of the newest backup. Of no use without what opens the client's.
pub(crate) async fn ejectable_shares_of_custodian(
    State(service): State<SharedService>,
    AuthenticatedCustodian(custodian): AuthenticatedCustodian,
    ClientWalletPath(client, wallet): ClientWalletPath,
) -> ApiResult<Json<EjectableShares>> {
    let client = EncryptionContext::new(custodian, client);
    let mut view = service.store.read().await?;
    let known = Known::read(&mut view, &client).await?;
    let releasable = releasable::newest(&known, &wallet, service.now())?;
    let encrypted_client_backup_share = view.envelope(&client.client, &releasable.backup).await?;
    let half = releasable.open(&service, &client, view).await?;
    releasable.note(&service, &client, Audience::Custodian).await?;
    let share = EjectableShare {
        backup_share_pair_id: releasable.pair,
        share: Zeroizing::new(Base64UrlUnpadded::encode_string(&half.to_bytes())),
    };
    let share = Zeroizing::new(serde_json::to_string(&share).map_err(ApiError::internal)?);
    let custodian_backup_share = Some(share);
    Ok(Json(EjectableShares { encrypted_client_backup_share, custodian_backup_share }))
}

/// How far ahead the end has to be: a minute.
const LEAST_SECONDS: u64 = 60;
