//! What a custodian's own servers ask for, and apps never do.

mod share;

use backup_core::{ClientId, Curve, EncryptionContext};
use portal_api::{
    CreateClient, CreatedClient,
    compat::{EjectEnabled, EjectableShares, EnableEject, Timestamp},
    route,
    webhook::{RegisterWebhook, WebhookSecret, WebhookView},
};
use portal_mpc::ByCurve;
use reqwest::Method;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    ApiKey, Error, Result,
    service::{Http, HttpOptions, Request, json, parse},
};

pub use self::share::CustodianShare;

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

/// Says where a custodian keeps its halves itself, with its API key: the base URL of a server that
/// answers as `portal-webhook` does. The service tries it before it takes it.
///
/// # Errors
///
/// [`Error::Service`] with [`WebhookFailed`](portal_api::ErrorId::WebhookFailed) if it does not
/// keep what it is given; otherwise as for [`create_client`]. What was registered before stays
/// then.
pub async fn register_webhook(
    service: &str,
    custodian_key: &ApiKey,
    webhook: &str,
    secret: &WebhookSecret,
) -> Result<WebhookView> {
    let http = Http::new(service, custodian_key, HttpOptions::default())?;
    let body = RegisterWebhook {
        webhook: webhook.to_owned(),
        secret: Zeroizing::new(secret.expose().to_owned()),
        client_id: None,
    };
    let request = json(Method::POST, route::WEBHOOK, &body).answered_within(LONGEST_CLIENT);
    parse(&http.send(&request).await?)
}

/// A wallet that may be ejected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Ejectable {
    /// Its curve.
    pub curve: Curve,
    /// Until then (seconds since 1970, by the service's clock).
    pub until: u64,
}

/// Lets a client eject its wallets for a while, with a custodian's API key: all of them, or that on
/// one curve; until a time, at least a minute ahead by the service's clock, or for five minutes.
///
/// # Security
///
/// Who can open a backup of the client gets its private key then. Be sure of who asks.
///
/// # Errors
///
/// [`Error::InvalidInput`] for the address, or if the client has no such wallet; otherwise as for
/// [`create_client`]. If there are several wallets, some may be allowed already.
pub async fn enable_eject(
    service: &str,
    custodian_key: &ApiKey,
    client: &ClientId,
    only: Option<Curve>,
    until: Option<u64>,
) -> Result<Vec<Ejectable>> {
    let http = Http::new(service, custodian_key, HttpOptions::default())?;
    let mut ejectable = Vec::new();
    for (curve, wallet_id) in wallets(&http, client, only).await? {
        let body = EnableEject { wallet_id, ejectable_until: until.map(Timestamp) };
        let request = json(Method::PATCH, &route::enable_eject(client.as_str()), &body);
        let EjectEnabled { ejectable_until } = parse(&http.send(&request).await?)?;
        ejectable.push(Ejectable { curve, until: ejectable_until.0 });
    }
    Ok(ejectable)
}

/// The custodian's halves of the newest backup, while the client may eject: for an app that gets
/// them from the custodian's servers and not from the service
/// ([`EjectOptions::custodian_shares`](crate::EjectOptions::custodian_shares)).
///
/// # Security
///
/// A half is the wallet for whoever can open the backup. Give it to nobody but that user, by TLS,
/// and keep no copy.
///
/// # Errors
///
/// [`Error::Service`] with [`StateInvalid`](portal_api::ErrorId::StateInvalid) if it is not
/// [allowed](enable_eject); otherwise as for [`enable_eject`].
pub async fn ejectable_shares(
    service: &str,
    custodian_key: &ApiKey,
    client: &ClientId,
    only: Option<Curve>,
) -> Result<ByCurve<CustodianShare>> {
    let http = Http::new(service, custodian_key, HttpOptions::default())?;
    let mut shares = Vec::new();
    for (_, wallet) in wallets(&http, client, only).await? {
        let path = route::ejectable_shares_of_custodian(client.as_str(), &wallet);
        let read: EjectableShares = parse(&http.send(&Request::get(path, LONGEST_CLIENT)).await?)?;
        let share = read
            .custodian_backup_share
            .ok_or_else(|| Error::UnexpectedAnswer("the custodian's half is missing".into()))?;
        shares.push(CustodianShare::parse(&share)?);
    }
    Ok(ByCurve::collect(shares)?)
}

/// The wallets of a client, by their names in Portal's routes.
async fn wallets(
    http: &Http,
    client: &ClientId,
    only: Option<Curve>,
) -> Result<Vec<(Curve, String)>> {
    let path = route::client_of_custodian(client.as_str());
    let known: Client = parse(&http.send(&Request::get(path, LONGEST_CLIENT)).await?)?;
    let asked = Curve::ALL.into_iter().filter(|curve| only.is_none_or(|only| only == *curve));
    let named = asked.flat_map(|curve| {
        let of_curve = known.wallets.iter().filter(move |wallet| wallet.curve == curve.as_str());
        of_curve.map(move |wallet| (curve, wallet.id.clone()))
    });
    let named: Vec<_> = named.collect();
    if named.is_empty() {
        return Err(Error::InvalidInput("the client has no such wallet".into()));
    }
    Ok(named)
}

/// More than a client with thousands of pairs has.
const LONGEST_CLIENT: usize = 4 * 1024 * 1024;

/// What is read of a client: no more than is used, so that nothing else of it can be in the way.
#[derive(Deserialize)]
struct Client {
    wallets: Vec<Wallet>,
}

#[derive(Deserialize)]
struct Wallet {
    id: String,
    curve: String,
}
