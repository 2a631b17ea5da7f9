//! What a facade is set up with.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use backup_core::{BackupMethod, MethodId};
use portal_mpc::Curves;

use super::Portal;
use crate::{
    ApiKey, EffectObserver, Error, Result,
    device::DeviceStore,
    effect::Effects,
    service::{Http, HttpOptions, Service},
};

/// Sets a [`Portal`] up.
#[must_use = "it is a `Portal` once it is built"]
pub struct PortalBuilder {
    service: String,
    api_key: ApiKey,
    store: DeviceStore,
    methods: Vec<Arc<dyn BackupMethod>>,
    curves: Curves,
    grace: Duration,
    options: HttpOptions,
}

impl PortalBuilder {
    pub(super) fn new(service: &str, api_key: ApiKey, store: DeviceStore) -> Self {
        Self {
            service: service.to_owned(),
            api_key,
            store,
            methods: Vec::new(),
            curves: Curves::BOTH,
            grace: GRACE,
            options: HttpOptions::default(),
        }
    }

    /// Brings a backup method. Of a method made of others, bring the members too: they remove what
    /// an abandoned enrolment left with them.
    pub fn method(mut self, method: Arc<dyn BackupMethod>) -> Self {
        self.methods.push(method);
        self
    }

    /// Makes wallets on these curves; both, if it is not called.
    pub fn curves(self, curves: Curves) -> Self {
        Self { curves, ..self }
    }

    /// How long one attempt of a request may last: 15 seconds, if it is not called.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// How long a request is repeated, and how long an operation waits for its turn: 10 seconds, if
    /// it is not called.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.options.patience = patience;
        self
    }

    /// How long an enrolment must have been known to work before the wrapping key of the one that
    /// it took the place of is destroyed: 30 days, if it is not called.
    pub fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Tells `observer` of every effect before it happens, on files and on the service.
    pub fn observed_by(mut self, observer: Arc<dyn EffectObserver>) -> Self {
        self.store = self.store.observed_by(Arc::clone(&observer));
        self.options.effects = Effects::observed_by(observer);
        self
    }

    /// Asks a service on another machine without TLS.
    ///
    /// # Security
    ///
    /// Whoever is on the way reads the API key and the secrets of every session, and with them the
    /// server's part of every signature. Only for a network that nobody else is on.
    pub fn dangerously_allow_plain_http(mut self) -> Self {
        self.options.allows_plain = true;
        self
    }

    /// The facade. Nothing is read, written or sent yet.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if the address of the service is none, or not HTTPS, or if two
    /// methods have one id.
    pub fn build(self) -> Result<Portal> {
        let patience = self.options.patience;
        let http = Http::new(&self.service, &self.api_key, self.options)?;
        let service = Arc::new(Service::new(http, self.store.client().clone()));
        let methods = by_id(self.methods)?;
        let Self { store, curves, grace, .. } = self;
        Ok(Portal { store: store.into(), service, methods, curves, grace, patience })
    }
}

const GRACE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

fn by_id(methods: Vec<Arc<dyn BackupMethod>>) -> Result<BTreeMap<MethodId, Arc<dyn BackupMethod>>> {
    let mut by_id = BTreeMap::new();
    for method in methods {
        let id = method.id();
        if by_id.insert(id.clone(), method).is_some() {
            return Err(Error::InvalidInput(format!("two methods have the id {id}; bring one")));
        }
    }
    Ok(by_id)
}

impl fmt::Debug for PortalBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalBuilder")
            .field("service", &self.service)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
