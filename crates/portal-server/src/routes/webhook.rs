//! Where a custodian keeps its halves itself: registered after a probe, looked at, and tidied.

use axum::{extract::State, http::StatusCode};
use backup_core::{ClientId, CustodianId};
use portal_api::{
    compat::Timestamp,
    webhook::{ErasedPairs, RegisterWebhook, WebhookSecret, WebhookView},
};

use super::compat::Said;
use crate::{
    auth::AuthenticatedCustodian,
    error::{ApiError, ApiResult},
    halves::webhook_failed,
    json::Json,
    maintenance::SESSION_SECONDS,
    random,
    service::{Service, SharedService},
    store::{Health, Snapshot},
    webhook::{Deadline, Endpoint, Failure, probe},
};

pub(crate) async fn register_webhook(
    State(service): State<SharedService>,
    AuthenticatedCustodian(custodian): AuthenticatedCustodian,
    Said(asked): Said<RegisterWebhook>,
) -> ApiResult<Json<WebhookView>> {
    let wrong = |what: &dyn ToString| ApiError::bad_request(what.to_string());
    let secret = WebhookSecret::new(&asked.secret).map_err(|error| wrong(&error))?;
    let sealed = service.custody.seal_webhook_secret(&custodian, &secret).await?;
    let endpoint = Endpoint::new(&service.webhooks, &asked.webhook, secret);
    let endpoint = endpoint.map_err(|failure| wrong(&failure))?;
    let client = probed_client(&service, &custodian, asked.client_id).await?;
    let probed = Deadline::begin().keep(probe(&endpoint, &client)).await;
    service.webhooks.meters.asked(probed.as_ref().err().map_or("success", Failure::label));
    probed.map_err(|failure| webhook_failed(&failure))?;
    let mut write = service.store.write().await?;
    write.set_webhook(&custodian, endpoint.base(), &sealed, service.now()).await?;
    let view = view(&service, &mut write, &custodian).await?;
    write.commit().await?;
    tracing::info!(%custodian, "a webhook is registered");
    Ok(Json(view))
}

pub(crate) async fn webhook(
    State(service): State<SharedService>,
    AuthenticatedCustodian(custodian): AuthenticatedCustodian,
) -> ApiResult<Json<WebhookView>> {
    let mut snapshot = service.store.read().await?;
    Ok(Json(view(&service, &mut snapshot, &custodian).await?))
}

/// All of them, or none: a pair that is of use is none that may be erased.
pub(crate) async fn erased_pairs(
    State(service): State<SharedService>,
    AuthenticatedCustodian(custodian): AuthenticatedCustodian,
    Said(ErasedPairs { backup_share_pair_ids }): Said<ErasedPairs>,
) -> ApiResult<StatusCode> {
    let mut write = service.store.write().await?;
    for pair in &backup_share_pair_ids {
        if write.is_in_use(pair, dead_before(&service)).await? {
            return Err(ApiError::state_invalid(
                "one of these pairs is of use, or may be: erase those only that are named as dead",
            ));
        }
        write.forget_posted(&custodian, pair).await?;
    }
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whose halves the probe's seem to be.
async fn probed_client(
    service: &Service,
    custodian: &CustodianId,
    client: Option<ClientId>,
) -> ApiResult<ClientId> {
    let Some(client) = client else {
        return Ok(ClientId::new(format!("probe-{}", random::name()?))?);
    };
    let known = service.store.read().await?.client(custodian, &client).await?;
    known.map(|row| row.id).ok_or_else(|| ApiError::not_found("there is no such client"))
}

async fn view(
    service: &Service,
    snapshot: &mut Snapshot,
    custodian: &CustodianId,
) -> ApiResult<WebhookView> {
    let none = || ApiError::not_found("no webhook is registered");
    let row = snapshot.webhook(custodian).await?.ok_or_else(none)?;
    let dead_pairs = snapshot.dead_pairs(custodian, dead_before(service), MOST_DEAD_PAIRS).await?;
    let Health { succeeded_at, failed_at, failure } = row.health;
    Ok(WebhookView {
        webhook: row.url,
        registered_at: Timestamp(row.registered_at),
        last_success_at: succeeded_at.map(Timestamp),
        last_failure_at: failed_at.map(Timestamp),
        last_failure: failure,
        dead_pairs,
    })
}

/// What was posted later may belong to a session that goes on.
fn dead_before(service: &Service) -> u64 {
    service.now().saturating_sub(SESSION_SECONDS)
}

const MOST_DEAD_PAIRS: u32 = 1000;
