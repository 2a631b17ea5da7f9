//! JSON in bodies that nobody signs.

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use crate::{
    body,
    error::{ApiError, ApiResult},
    json,
    service::SharedService,
};

/// What a body says.
#[derive(Debug)]
pub(crate) struct Said<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<SharedService> for Said<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, service: &SharedService) -> ApiResult<Self> {
        let headers = request.headers().clone();
        let body = body::read(request, service).await?;
        json::parse(&headers, &body).map(Self)
    }
}
