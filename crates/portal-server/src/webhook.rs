//! Webhooks of custodians that keep their halves themselves: asked carefully, and believed only
//! when what was posted comes back.

mod address;
mod caller;
mod endpoint;
mod failure;
mod probe;

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use tokio::time;

use self::caller::Caller;
pub(crate) use self::{
    endpoint::{Endpoint, Fetched, Half, hash},
    failure::Failure,
    probe::probe,
};
use crate::metrics::WebhookMeters;

/// Where webhooks may be. What is not said is not allowed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct WebhookPolicy {
    /// Whether they may be asked without TLS.
    pub plain_http: bool,
    /// Whether they may be on this machine, in its networks, or wherever else is no public address.
    pub private_addresses: bool,
}

/// What asks webhooks.
#[derive(Debug, Default)]
pub(crate) struct Webhooks {
    policy: WebhookPolicy,
    /// Made when it is first needed: a service without webhooks needs no root certificates.
    caller: OnceLock<Caller>,
    pub(crate) meters: WebhookMeters,
}

/// Until when a webhook has done what it was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Webhooks {
    pub(crate) fn new(policy: WebhookPolicy) -> Self {
        Self { policy, ..Self::default() }
    }

    fn caller(&self) -> Result<&Caller, Failure> {
        if let Some(caller) = self.caller.get() {
            return Ok(caller);
        }
        let caller = Caller::new(self.policy)?;
        Ok(self.caller.get_or_init(|| caller))
    }
}

impl Deadline {
    /// What Portal gives a webhook, for all that belongs to one request of a device.
    pub(crate) fn begin() -> Self {
        Self(Instant::now() + LIMIT)
    }

    pub(crate) async fn keep<T>(
        self,
        asked: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        time::timeout_at(self.0.into(), asked).await.unwrap_or(Err(Failure::Late))
    }
}

const LIMIT: Duration = Duration::from_secs(10);
