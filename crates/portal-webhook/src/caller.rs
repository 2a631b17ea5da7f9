//! Whether a request is the service's: by its address, the secret, and its signature.

use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    body::Bytes,
    extract::ConnectInfo,
    http::{Extensions, HeaderMap},
};
use portal_api::webhook::{
    ID_HEADER, SECRET_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, WebhookSecret,
};
use subtle::ConstantTimeEq;

use crate::{error::Refusal, store::Store};

/// What a service has to prove.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) secret: Arc<WebhookSecret>,
    pub(crate) takes_unsigned: bool,
    /// Anybody's, if it is not said.
    pub(crate) addresses: Option<HashSet<IpAddr>>,
}

impl Caller {
    /// Whether this is the service's. Nothing that the body says is looked at before.
    ///
    /// The id of a signed request is used up, also if what it asks for fails afterwards: whoever
    /// repeats it signs it afresh, under another id.
    pub(crate) async fn check(
        &self,
        headers: &HeaderMap,
        extensions: &Extensions,
        body: &Bytes,
        store: &dyn Store,
    ) -> Result<(), Refusal> {
        self.check_address(extensions)?;
        self.check_secret(headers)?;
        if self.takes_unsigned && !headers.contains_key(SIGNATURE_HEADER) {
            return Ok(());
        }
        self.check_signature(headers, body, store).await
    }

    fn check_address(&self, extensions: &Extensions) -> Result<(), Refusal> {
        let Some(addresses) = &self.addresses else { return Ok(()) };
        let from = extensions.get::<ConnectInfo<SocketAddr>>();
        let from = from.map(|ConnectInfo(address)| address.ip().to_canonical());
        if from.is_some_and(|from| addresses.contains(&from)) {
            Ok(())
        } else {
            Err(Refusal::ADDRESS)
        }
    }

    fn check_secret(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(secret) = self.secret.header() else { return Ok(()) };
        let sent = headers.get(SECRET_HEADER).ok_or(Refusal::SECRET)?;
        let is_same = bool::from(sent.as_bytes().ct_eq(secret.as_bytes()));
        if is_same { Ok(()) } else { Err(Refusal::SECRET) }
    }

    async fn check_signature(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
        store: &dyn Store,
    ) -> Result<(), Refusal> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let id = header(ID_HEADER).filter(|id| id.len() <= MAX_ID_LEN).ok_or(Refusal::SECRET)?;
        let time = header(TIMESTAMP_HEADER).and_then(|text| text.parse().ok());
        let time: u64 = time.ok_or(Refusal::SECRET)?;
        let signatures = header(SIGNATURE_HEADER).ok_or(Refusal::SECRET)?;
        if !self.secret.verifies(id, time, body, signatures) {
            return Err(Refusal::SECRET);
        }
        let now = now();
        if now.abs_diff(time) > TOLERANCE_SECONDS {
            return Err(Refusal::TIME);
        }
        // For as long as its time would be right.
        let until = time + TOLERANCE_SECONDS;
        if store.is_first(id, until, now).await? { Ok(()) } else { Err(Refusal::REPLAYED) }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// As the specification's libraries have it: five minutes.
const TOLERANCE_SECONDS: u64 = 5 * 60;

const MAX_ID_LEN: usize = 256;
