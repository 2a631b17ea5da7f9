//! A custodian makes clients.

use axum::extract::{Request, State};
use backup_core::{ClientId, EncryptionContext};
use portal_api::{CreateClient, CreatedClient};
use zeroize::Zeroizing;

use crate::{
    api_key::{ApiKey, Audience},
    auth::AuthenticatedCustodian,
    body,
    error::ApiResult,
    json::{self, Json},
    random,
    service::SharedService,
};

pub(crate) async fn create_client(
    State(service): State<SharedService>,
    AuthenticatedCustodian(custodian): AuthenticatedCustodian,
    request: Request,
) -> ApiResult<Json<CreatedClient>> {
    let CreateClient { is_account_abstracted } = wanted(request, &service).await?;
    let context = EncryptionContext::new(custodian, ClientId::new(random::name()?)?);
    let key = ApiKey::generate(Audience::Client)?;
    let token = ApiKey::generate(Audience::Session)?;
    let mut write = service.store.write().await?;
    write.insert_client(&context, &key.hash(), is_account_abstracted, service.now()).await?;
    let (token_hash, key_hash) = (token.hash(), key.hash());
    write.insert_session_token(&context.client, &token_hash, &key_hash, service.now()).await?;
    write.commit().await?;
    Ok(Json(CreatedClient {
        custodian_id: context.custodian,
        id: context.client.as_str().to_owned(),
        client_api_key: Zeroizing::new(key.expose().to_owned()),
        client_session_token: Zeroizing::new(token.expose().to_owned()),
        is_account_abstracted,
    }))
}

/// No body asks for nothing in particular.
async fn wanted(request: Request, service: &SharedService) -> ApiResult<CreateClient> {
    let headers = request.headers().clone();
    let body = body::read(request, service).await?;
    if body.is_empty() { Ok(CreateClient::default()) } else { json::parse(&headers, &body) }
}
