//! Who asks: the API key or session token of a request, and whose it is.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use backup_core::{CustodianId, EncryptionContext};
use portal_api::ErrorId;

use crate::{
    api_key::{ApiKeyHash, Audience},
    error::{ApiError, ApiResult},
    service::SharedService,
    session_token,
};

/// The client whose key or session token came with the request.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient(pub EncryptionContext);

/// The custodian whose key came with the request.
#[derive(Clone, Debug)]
pub struct AuthenticatedCustodian(pub CustodianId);

/// The same, and the key, for what is over with it.
#[derive(Clone, Debug)]
pub struct AuthenticatedByKey(pub CustodianId, pub ApiKeyHash);

impl FromRequestParts<SharedService> for AuthenticatedClient {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &SharedService) -> ApiResult<Self> {
        let client = match presented(&parts.headers, Audience::Client) {
            Ok(key) => service.store.client_by_key(&key, service.now()).await?,
            Err(_) => {
                let token = presented(&parts.headers, Audience::Session)?;
                session_token::client(service, &token).await?
            }
        };
        client.map(Self).ok_or_else(no_such_key)
    }
}

impl FromRequestParts<SharedService> for AuthenticatedCustodian {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &SharedService) -> ApiResult<Self> {
        let AuthenticatedByKey(custodian, _) =
            AuthenticatedByKey::from_request_parts(parts, service).await?;
        Ok(Self(custodian))
    }
}

impl FromRequestParts<SharedService> for AuthenticatedByKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &SharedService) -> ApiResult<Self> {
        let key = presented(&parts.headers, Audience::Custodian)?;
        let custodian = service.store.read().await?.custodian_by_key(&key, service.now()).await?;
        Ok(Self(custodian.ok_or_else(no_such_key)?, key))
    }
}

/// What stands where a key does, whether or not it is one.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?;
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| key.trim())
}

/// What came in the place of a key, if it looks like one for this audience.
pub(crate) fn presented(headers: &HeaderMap, audience: Audience) -> ApiResult<ApiKeyHash> {
    let key = bearer(headers).ok_or_else(no_such_key)?;
    ApiKeyHash::of_presented(key, audience).ok_or_else(no_such_key)
}

pub(crate) fn no_such_key() -> ApiError {
    ApiError::new(
        ErrorId::AuthFailed,
        "this needs an API key that is in force: Authorization: Bearer",
    )
}
