//! What a webhook is asked for: to keep a half, and to give all of a client's back.

use std::fmt;

use backup_core::{ClientId, MethodId, SharePairId};
use portal_api::webhook::{
    BACKUP, FETCH, FetchedHalves, ID_HEADER, MAX_FETCHED_LEN, PostedHalf, SECRET_HEADER,
    SIGNATURE_HEADER, TIMESTAMP_HEADER, WantedHalves, WebhookSecret,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Failure, Webhooks, caller::Caller};
use crate::{
    clock::{Clock, SystemClock},
    random,
};

/// A webhook that may be asked.
pub(crate) struct Endpoint<'a> {
    caller: &'a Caller,
    base: String,
    secret: WebhookSecret,
}

/// A half as it is posted: JSON in a string.
pub(crate) type Half = Zeroizing<String>;

/// What came back of a client.
pub(crate) struct Fetched(Vec<Half>);

impl<'a> Endpoint<'a> {
    pub(crate) fn new(
        webhooks: &'a Webhooks,
        url: &str,
        secret: WebhookSecret,
    ) -> Result<Self, Failure> {
        let caller = webhooks.caller()?;
        Ok(Self { base: caller.base(url)?, caller, secret })
    }

    /// The base URL as it is registered.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Gives it a half to keep.
    pub(crate) async fn keep(
        &self,
        client: &ClientId,
        method: &MethodId,
        pair: &SharePairId,
        half: &Half,
    ) -> Result<(), Failure> {
        let posted = PostedHalf {
            backup_method: method.as_str().to_owned(),
            client_id: client.as_str().to_owned(),
            share: half.clone(),
            backup_share_pair_id: Some(pair.as_str().to_owned()),
        };
        // Whatever a custodian says to this is of no concern.
        self.post(BACKUP, &posted).await.map(drop)
    }

    /// Asks for all halves of a client.
    pub(crate) async fn fetch(&self, client: &ClientId) -> Result<Fetched, Failure> {
        let wanted = WantedHalves { client_id: client.as_str().to_owned() };
        let body = self.post(FETCH, &wanted).await?;
        let fetched = serde_json::from_slice::<FetchedHalves>(&body);
        Ok(Fetched(fetched.map_err(|_| Failure::Unreadable)?.into_halves().collect()))
    }

    async fn post(&self, path: &str, said: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let body = serde_json::to_vec(said).map(Zeroizing::new).expect("it is plain text");
        let id = random::name().map_err(|_| Failure::Unreachable("there is no randomness"))?;
        let id = format!("msg_{id}");
        // By the clock of this machine, whatever the service's is: the receiver has its own.
        let now = SystemClock.now();
        let signature = self.secret.sign(&id, now, &body);
        let mut headers = vec![
            (ID_HEADER, Zeroizing::new(id)),
            (TIMESTAMP_HEADER, Zeroizing::new(now.to_string())),
            (SIGNATURE_HEADER, Zeroizing::new(signature)),
        ];
        if let Some(secret) = self.secret.header() {
            headers.push((SECRET_HEADER, Zeroizing::new(secret.to_owned())));
        }
        let url = format!("{}{path}", self.base);
        self.caller.post(&url, &headers, body, MAX_FETCHED_LEN).await
    }
}

impl Fetched {
    /// Whether this half is among them, byte for byte.
    pub(crate) fn has(&self, half: &Half) -> bool {
        self.0.iter().any(|back| bool::from(back.as_bytes().ct_eq(half.as_bytes())))
    }

    /// The one with this hash.
    pub(crate) fn of_hash(&self, sha256: &[u8; 32]) -> Option<&Half> {
        self.0.iter().find(|back| bool::from(hash(back).ct_eq(sha256)))
    }
}

/// By which a half is known when it comes back. It says nothing of a half, which is as long as a
/// key and as random.
pub(crate) fn hash(half: &Half) -> [u8; 32] {
    Sha256::digest(half.as_bytes()).into()
}

impl fmt::Debug for Endpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("base", &self.base).finish_non_exhaustive()
    }
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched").field("count", &self.0.len()).finish_non_exhaustive()
    }
}
