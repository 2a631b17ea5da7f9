//! What every request is answered with: database, custody, clock, and what lives in memory only.

use std::{fmt, sync::Arc};

use zeroize::Zeroizing;

use crate::{
    clock::Clock,
    custody::Custody,
    effects::EffectObserver,
    limits::{Costly, Limits},
    metrics::RequestMeters,
    random::{self, NoRandomness},
    readiness::Readiness,
    sessions::InProgress,
    store::Store,
    webhook::Webhooks,
};

/// What handlers share.
#[derive(Debug)]
pub struct Service {
    /// The database.
    pub store: Store,
    /// Opens and seals the service's halves.
    pub custody: Custody,
    /// Asks the webhooks of custodians.
    pub(crate) webhooks: Webhooks,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Told of every effect.
    pub observer: Arc<dyn EffectObserver>,
    /// This run of the process.
    pub generation: Generation,
    /// What sessions are sealed under.
    pub session_key: SessionKey,
    /// The posts of sessions that are being answered.
    pub(crate) in_progress: InProgress,
    /// Whether requests may be sent here.
    pub(crate) readiness: Readiness,
    /// What is counted of requests.
    pub(crate) requests: RequestMeters,
    /// For work that keeps a processor busy.
    pub costly: Costly,
    /// How long a superseded set is kept, in seconds.
    pub grace_seconds: u64,
    /// For how long a custodian may let a wallet be ejected at most, in seconds.
    pub longest_eject_seconds: u64,
    /// How much one caller may ask for.
    pub limits: Limits,
}

/// How long a wallet may be ejected if the custodian does not say, in seconds: five minutes.
pub const USUAL_EJECT_SECONDS: u64 = 5 * 60;

/// The state of every handler.
pub type SharedService = Arc<Service>;

/// One run of the process. States of another one are dead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Generation(pub [u8; 16]);

/// What sessions are sealed under: as long as the process lives, and nowhere but in its memory.
pub struct SessionKey(Zeroizing<[u8; 32]>);

impl Service {
    /// Seconds since 1970 in UTC.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.clock.now()
    }
}

impl Generation {
    pub(crate) fn new() -> Result<Self, NoRandomness> {
        random::bytes().map(Self)
    }
}

impl SessionKey {
    pub(crate) fn generate() -> Result<Self, NoRandomness> {
        random::secret().map(Self)
    }

    /// The key itself.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey([REDACTED])")
    }
}
