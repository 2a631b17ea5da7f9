//! What stands in paths.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use backup_core::{BackupId, ClientId, SharePairId};

use crate::{
    error::{ApiError, ApiResult},
    service::SharedService,
};

/// The backup set that a path names.
#[derive(Debug)]
pub(crate) struct BackupPath(pub(crate) BackupId);

/// The client that a path names.
#[derive(Debug)]
pub(crate) struct ClientPath(pub(crate) ClientId);

/// The share pair that a path names.
#[derive(Debug)]
pub(crate) struct PairPath(pub(crate) SharePairId);

/// The wallet that a path names.
#[derive(Debug)]
pub(crate) struct WalletPath(pub(crate) String);

/// The wallet of a client that a path names.
#[derive(Debug)]
pub(crate) struct ClientWalletPath(pub(crate) ClientId, pub(crate) String);

impl FromRequestParts<SharedService> for ClientWalletPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &SharedService) -> ApiResult<Self> {
        let path = Path::<(String, String)>::from_request_parts(parts, service).await;
        let ids = path
            .ok()
            .and_then(|Path((client, wallet))| Some(Self(ClientId::new(client).ok()?, wallet)));
        ids.ok_or_else(|| ApiError::bad_request("the path holds no ids of a client and a wallet"))
    }
}

impl FromRequestParts<SharedService> for BackupPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &SharedService) -> ApiResult<Self> {
        let path = Path::<String>::from_request_parts(parts, service).await;
        let id = path.ok().and_then(|Path(id)| BackupId::new(id).ok());
        id.map(Self).ok_or_else(|| ApiError::bad_request("the path holds no id of a backup set"))
    }
}

impl FromRequestParts<SharedService> for WalletPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &SharedService) -> ApiResult<Self> {
        let path = Path::<String>::from_request_parts(parts, service).await;
        path.map(|Path(id)| Self(id))
            .map_err(|_| ApiError::bad_request("the path holds no id of a wallet"))
    }
}

impl FromRequestParts<SharedService> for PairPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &SharedService) -> ApiResult<Self> {
        let path = Path::<String>::from_request_parts(parts, service).await;
        let id = path.ok().and_then(|Path(id)| SharePairId::new(id).ok());
        id.map(Self).ok_or_else(|| ApiError::bad_request("the path holds no id of a share pair"))
    }
}

impl FromRequestParts<SharedService> for ClientPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &SharedService) -> ApiResult<Self> {
        let path = Path::<String>::from_request_parts(parts, service).await;
        let id = path.ok().and_then(|Path(id)| ClientId::new(id).ok());
        id.map(Self).ok_or_else(|| ApiError::bad_request("the path holds no id of a client"))
    }
}
