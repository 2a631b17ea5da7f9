//! What a custodian's own servers ask for, and apps never do.

use backup_core::{ClientId, EncryptionContext};
use portal_api::{CreateClient, CreatedClient, route};
use reqwest::Method;

use crate::{
    ApiKey, Error, Result,
    service::{Http, HttpOptions, json, parse},
};

/// Makes a client, with a custodian's API key: who it is, and the client's own API key.
///
/// The app gets both. The key is shown this once; the ids never change, and belong to every backup.
///
/// # Errors
///
/// [`Error::InvalidInput`] for the address, [`Error::Service`], [`Error::Unreachable`] or
/// [`Error::UnexpectedAnswer`]. After one that leaves open whether a client was made, make another:
/// nobody uses the first.
pub async fn create_client(
    service: &str,
    custodian_key: &ApiKey,
) -> Result<(EncryptionContext, ApiKey)> {
    let http = Http::new(service, custodian_key, HttpOptions::default())?;
    let request = json(Method::POST, route::CUSTODIAN_CLIENTS, &CreateClient::default());
    let created: CreatedClient = parse(&http.send(&request).await?)?;
    let client = ClientId::new(created.id).map_err(|_| {
        Error::UnexpectedAnswer("the id of the new client is not visible ASCII".into())
    })?;
    let key = ApiKey::new(created.client_api_key.as_str())?;
    Ok((EncryptionContext::new(created.custodian_id, client), key))
}
