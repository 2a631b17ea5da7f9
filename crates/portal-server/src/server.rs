//! The service as it runs: started from options, ended in an orderly way.

use std::{
    fs::File,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use portal_keys::KeyRing;
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::{AbortHandle, JoinHandle},
    time,
};

use crate::{
    around::Places,
    clock::{Clock, SystemClock},
    effects::{EffectObserver, Nobody},
    limits::{Costly, Limits},
    maintenance,
    metrics::{self, RequestMeters},
    readiness::Readiness,
    router,
    service::{self, Generation, Service, SessionKey, SharedService},
    sessions::InProgress,
    stack,
    start::{self, DataFolder, OperatorsKeys, StartError},
    webhook::{WebhookPolicy, Webhooks},
};

/// The service.
#[derive(Clone, Copy, Debug)]
pub struct Server;

/// How the service runs. Begin with [`Options::new`] and change what should be otherwise.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Where it listens, for plain HTTP: TLS is the business of a proxy before it. Port 0 takes
    /// any that is free.
    pub listen: SocketAddr,
    /// Where metrics are read, if anywhere: whoever reaches it reads them, without a key.
    pub metrics: Option<SocketAddr>,
    /// Where it keeps its files.
    pub folder: PathBuf,
    /// The keys that it seals under. Without them, it has one in a file in its folder, which the
    /// first start makes.
    pub keys: Option<KeyRing>,
    /// The ids of keys that are lost for good: the service starts without them, as long as another
    /// one works. Nothing is forgotten that is wrapped under them.
    pub lost_keys: Vec<String>,
    /// How long a superseded backup set is kept: never shorter than the restore window.
    pub grace: Duration,
    /// How old a copy of the database may be that the operator would still restore. A device may
    /// need whatever such a copy takes for its newest backup, so nothing goes before. Longer than
    /// nothing: each copy is older than what was done since.
    pub restore_window: Duration,
    /// For how long a custodian may let a wallet be ejected at most: five minutes or more, which is
    /// how long it is if the custodian does not say.
    pub longest_eject: Duration,
    /// Whether the service keeps the ciphertexts of backups that apps complete by Portal's routes.
    /// Said once, it stays until the contrary is said; before that it does.
    pub backup_with_portal: Option<bool>,
    /// Where webhooks of custodians may be.
    pub webhooks: WebhookPolicy,
    /// The passkey enclave, if there is one.
    #[cfg(feature = "enclave")]
    pub enclave: Option<crate::EnclaveOptions>,
    /// How long the service still takes requests when it is to end, and says that it is not ready,
    /// so that whoever sends them here stops before it does.
    pub drain: Duration,
    /// How often what is over is cleared away.
    pub maintenance_interval: Duration,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Told of every effect.
    pub observer: Arc<dyn EffectObserver>,
    /// How much may be asked for.
    pub limits: Limits,
}

/// A service that runs. Dropped, it takes no more requests, and ends when it has answered.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    metrics: Option<Metrics>,
    service: SharedService,
    serving: Serving,
    /// Where the enclave listens by itself.
    enclave: Option<(SocketAddr, Serving)>,
    maintenance: EndOnDrop,
    drain: Duration,
}

/// A public listener, and what tells it to end.
#[derive(Debug)]
struct Serving {
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
    lock: Arc<File>,
}

/// The listener on which metrics are read.
#[derive(Debug)]
struct Metrics {
    address: SocketAddr,
    _task: EndOnDrop,
}

impl Options {
    /// How a service runs that keeps its files in `folder`.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            metrics: None,
            folder: folder.into(),
            keys: None,
            lost_keys: Vec::new(),
            grace: Duration::from_secs(30 * 24 * 60 * 60),
            restore_window: Duration::from_secs(7 * 24 * 60 * 60),
            longest_eject: Duration::from_secs(24 * 60 * 60),
            backup_with_portal: None,
            webhooks: WebhookPolicy::default(),
            #[cfg(feature = "enclave")]
            enclave: None,
            drain: Duration::ZERO,
            maintenance_interval: Duration::from_secs(60),
            clock: Arc::new(SystemClock),
            observer: Arc::new(Nobody),
            limits: Limits::default(),
        }
    }
}

impl Server {
    /// Starts the service: opens its data folder, or makes it, and listens.
    ///
    /// # Errors
    ///
    /// [`StartError`] says what is wrong and what to do.
    pub async fn start(options: Options) -> Result<Running, StartError> {
        if options.longest_eject.as_secs() < service::USUAL_EJECT_SECONDS {
            return Err(StartError::EjectTooShort);
        }
        if options.restore_window.is_zero() || options.grace < options.restore_window {
            let Options { grace, restore_window, .. } = options;
            return Err(StartError::GraceTooShort { grace, restore_window });
        }
        #[cfg(feature = "enclave")]
        if let Some(enclave) = &options.enclave {
            enclave.check().map_err(StartError::Enclave)?;
        }
        let keys = OperatorsKeys { ring: options.keys, lost: options.lost_keys };
        let (clock, observer) = (&*options.clock, &options.observer);
        let folder = DataFolder::open(&options.folder, keys, clock, observer);
        let DataFolder { store, custody, lock } = stack::erasing(folder).await?;
        let service = Arc::new(Service {
            store,
            custody,
            webhooks: Webhooks::new(options.webhooks),
            clock: options.clock,
            observer: options.observer,
            generation: Generation::new()?,
            session_key: SessionKey::generate()?,
            in_progress: InProgress::default(),
            readiness: Readiness::default(),
            requests: RequestMeters::default(),
            costly: Costly::new(&options.limits),
            grace_seconds: options.grace.as_secs(),
            longest_eject_seconds: options.longest_eject.as_secs(),
            limits: options.limits,
        });
        if let Some(enabled) = options.backup_with_portal {
            start::set_backup_with_portal(&service.store, enabled).await?;
        }
        maintenance::run_at_start(&service, service.now()).await?;
        let places = router::places(&service);
        #[cfg(feature = "enclave")]
        let enclave = options.enclave.as_ref();
        #[cfg(feature = "enclave")]
        let enclave = enclave.map(|options| mounted(&service, &places, options)).transpose()?;
        #[cfg(not(feature = "enclave"))]
        let enclave: Option<Mounted> = None;
        let listener = listen(options.listen).await?;
        let metrics = match options.metrics {
            Some(address) => Some(Metrics::serve(&service, listen(address).await?)),
            None => None,
        };
        let (interval, drain) = (options.maintenance_interval, options.drain);
        let lock = Arc::new(lock);
        let (routes, enclave) = divided(&service, &places, enclave);
        let enclave = match enclave {
            Some((address, routes)) => {
                let (listener, address) = listen(address).await?;
                Some((address, Serving::begin(routes, listener, Arc::clone(&lock))))
            }
            None => None,
        };
        let serving = Serving::begin(routes, listener.0, lock);
        let maintenance = tokio::spawn(maintenance::run(Arc::clone(&service), interval));
        let maintenance = EndOnDrop(maintenance.abort_handle());
        let address = listener.1;
        Ok(Running { address, metrics, service, serving, enclave, maintenance, drain })
    }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where metrics are read, if anywhere.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|metrics| metrics.address)
    }

    /// Where the passkey enclave listens, if it does so by itself.
    #[must_use]
    pub fn enclave_address(&self) -> Option<SocketAddr> {
        self.enclave.as_ref().map(|(address, _)| *address)
    }

    /// What its handlers share.
    #[must_use]
    pub fn service(&self) -> &SharedService {
        &self.service
    }

    /// Says that it is not ready, takes no more requests after [`Options::drain`], answers those
    /// that have come, and closes the database.
    pub async fn shutdown(self) {
        let Self { service, serving, enclave, maintenance, drain, .. } = self;
        service.readiness.end();
        time::sleep(drain).await;
        drop(maintenance);
        let serving = [Some(serving), enclave.map(|(_, serving)| serving)].into_iter().flatten();
        let (stops, tasks): (Vec<_>, Vec<_>) =
            serving.map(|Serving { stop, task, lock }| (stop, (task, lock))).unzip();
        drop(stops);
        let mut locks = Vec::new();
        for (task, lock) in tasks {
            locks.push(lock);
            if let Ok(Err(error)) = task.await {
                tracing::error!(%error, "serving ended with an error");
            }
        }
        service.store.close().await;
        drop(locks);
    }
}

/// The routes of the enclave and what is around them, and where it listens if it does so by itself.
type Mounted = (Router, Option<SocketAddr>);

#[cfg(feature = "enclave")]
fn mounted(
    service: &SharedService,
    places: &Places,
    options: &crate::EnclaveOptions,
) -> Result<Mounted, StartError> {
    let routes = crate::enclave::routes(service, places, options).map_err(StartError::Enclave)?;
    Ok((routes, options.listen))
}

/// What the service's listener answers, and what the enclave's own does.
fn divided(
    service: &SharedService,
    places: &Places,
    enclave: Option<Mounted>,
) -> (Router, Option<(SocketAddr, Router)>) {
    let all = |routes| router::all(places.clone(), routes);
    let (routes, no_enclave) = (router::routes(service), router::no_enclave(service));
    match enclave {
        Some((enclaves, None)) => (all(routes).merge(enclaves), None),
        Some((enclaves, Some(address))) => {
            let enclaves = all(router::watched(service)).merge(enclaves);
            (all(routes.merge(no_enclave)), Some((address, enclaves)))
        }
        None => (all(routes.merge(no_enclave)), None),
    }
}

impl Serving {
    fn begin(routes: Router, listener: TcpListener, lock: Arc<File>) -> Self {
        let (stop, stopped) = oneshot::channel();
        let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
        let serving = axum::serve(listener, routes);
        let serving = serving.with_graceful_shutdown(async {
            // Sent or dropped: either way it is time.
            let _ = stopped.await;
        });
        let held = Arc::clone(&lock);
        let task = tokio::spawn(async move {
            let _held = held;
            serving.await
        });
        Self { stop, task, lock }
    }
}

impl Metrics {
    fn serve(service: &SharedService, (listener, address): (TcpListener, SocketAddr)) -> Self {
        let serving = axum::serve(listener, metrics::endpoint(Arc::clone(service)));
        let task = tokio::spawn(serving.into_future());
        Self { address, _task: EndOnDrop(task.abort_handle()) }
    }
}

/// Listens, and says where.
async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// A task that ends with this.
#[derive(Debug)]
struct EndOnDrop(AbortHandle);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
