//! The service as it runs: started from options, ended in an orderly way.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::{AbortHandle, JoinHandle},
};

use crate::{
    clock::{Clock, SystemClock},
    effects::{EffectObserver, Nobody},
    limits::{Costly, Limits},
    maintenance,
    router::router,
    service::{Generation, Service, SessionKey, SharedService},
    sessions::InProgress,
    stack,
    start::{self, DataFolder, StartError},
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
    /// Where it keeps its files.
    pub folder: PathBuf,
    /// How long a superseded backup set is kept. Longer than the time within which the operator
    /// may have to restore the database.
    pub grace: Duration,
    /// Whether the service keeps the ciphertexts of backups that apps complete by Portal's routes.
    /// Said once, it stays until the contrary is said; before that it does.
    pub backup_with_portal: Option<bool>,
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
    service: SharedService,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
    maintenance: EndOnDrop,
    lock: Arc<File>,
}

impl Options {
    /// How a service runs that keeps its files in `folder`.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            folder: folder.into(),
            grace: Duration::from_secs(30 * 24 * 60 * 60),
            backup_with_portal: None,
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
        let folder = DataFolder::open(&options.folder, &*options.clock, &options.observer);
        let DataFolder { store, custody, lock } = stack::erasing(folder).await?;
        let service = Arc::new(Service {
            store,
            custody,
            clock: options.clock,
            observer: options.observer,
            generation: Generation::new()?,
            session_key: SessionKey::generate()?,
            in_progress: InProgress::default(),
            costly: Costly::new(&options.limits),
            grace_seconds: options.grace.as_secs(),
            limits: options.limits,
        });
        if let Some(enabled) = options.backup_with_portal {
            start::set_backup_with_portal(&service.store, enabled).await?;
        }
        maintenance::run_once(&service, service.now()).await?;
        let listener = listen(options.listen).await?;
        Running::serve(service, listener, options.maintenance_interval, Arc::new(lock))
    }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its handlers share.
    #[must_use]
    pub fn service(&self) -> &SharedService {
        &self.service
    }

    /// Takes no more requests, answers those that have come, and closes the database.
    pub async fn shutdown(self) {
        let Self { service, stop, serving, maintenance, lock, .. } = self;
        drop((stop, maintenance));
        if let Ok(Err(error)) = serving.await {
            tracing::error!(%error, "serving ended with an error");
        }
        service.store.close().await;
        drop(lock);
    }

    fn serve(
        service: SharedService,
        listener: TcpListener,
        interval: Duration,
        lock: Arc<File>,
    ) -> Result<Self, StartError> {
        let unknown = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let address = listener
            .local_addr()
            .map_err(|source| StartError::Listen { address: unknown, source })?;
        let (stop, stopped) = oneshot::channel();
        let serving = axum::serve(listener, router(Arc::clone(&service)));
        let serving = serving.with_graceful_shutdown(async {
            // Sent or dropped: either way it is time.
            let _ = stopped.await;
        });
        let held = Arc::clone(&lock);
        let serving = tokio::spawn(async move {
            let _held = held;
            serving.await
        });
        let maintenance = tokio::spawn(maintenance::run(Arc::clone(&service), interval));
        let maintenance = EndOnDrop(maintenance.abort_handle());
        Ok(Self { address, service, stop, serving, maintenance, lock })
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|source| StartError::Listen { address, source })
}

/// A task that ends with this.
#[derive(Debug)]
struct EndOnDrop(AbortHandle);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
