//! How much may be asked for, and at once.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time,
};

use crate::{
    error::{ApiError, ApiResult},
    metrics::{CostlyMeters, GoingOn, Reason},
    thread,
};

/// Limits of the service.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// How many requests are answered at once. More are sent away.
    pub requests: usize,
    /// How many pieces of costly work run at once. More wait.
    pub costly: usize,
    /// How long a piece of costly work waits before it is sent away.
    pub costly_wait: Duration,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// How many requests a minute may come from one address, or one network of 64 bits. All of them
    /// may come at once.
    pub address_rate: Option<NonZeroU32>,
    /// How many requests a minute may come with one API key or session token, likewise.
    pub key_rate: Option<NonZeroU32>,
    /// How many ceremonies of passkeys a minute may be begun or finished with one API key or
    /// session token, likewise.
    pub ceremony_rate: Option<NonZeroU32>,
    /// How many proxies each request comes through, which add its source to `X-Forwarded-For`.
    pub proxies: usize,
    /// How long a caller waits for an answer. The work goes on, and the same request finds it.
    pub answer_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: 512,
            costly: std::thread::available_parallelism().map_or(1, Into::into),
            costly_wait: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            address_rate: NonZeroU32::new(60_000),
            key_rate: NonZeroU32::new(6_000),
            ceremony_rate: NonZeroU32::new(60),
            proxies: 0,
            answer_time: Duration::from_secs(60),
        }
    }
}

/// Where work that keeps a processor busy takes its turn.
#[derive(Clone, Debug)]
pub struct Costly {
    places: Arc<Semaphore>,
    wait: Duration,
    pub(crate) meters: CostlyMeters,
}

/// A place for one piece of costly work. Dropped, it is free again.
#[derive(Debug)]
pub struct CostlyPlace {
    _permit: OwnedSemaphorePermit,
    _running: GoingOn,
}

impl Costly {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.costly)),
            wait: limits.costly_wait,
            meters: CostlyMeters::default(),
        }
    }

    /// Runs `work` on a thread of its own, once there is a place.
    ///
    /// # Errors
    ///
    /// `ERROR` (503) if there is no place for too long; `INTERNAL_ERROR` if it panics.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> ApiResult<T> {
        self.place().await?.run(work).await
    }

    /// Waits for a place. Work that cannot be repeated takes one before it begins.
    ///
    /// # Errors
    ///
    /// `ERROR` (503) if there is none for too long.
    pub async fn place(&self) -> ApiResult<CostlyPlace> {
        let waiting = GoingOn::begin(&self.meters.waiting);
        let permit = time::timeout(self.wait, Arc::clone(&self.places).acquire_owned());
        let permit = permit.await.map_err(|_| ApiError::busy(Reason::Costly))?;
        let permit = permit.map_err(ApiError::internal)?;
        drop(waiting);
        Ok(CostlyPlace { _permit: permit, _running: GoingOn::begin(&self.meters.running) })
    }
}

impl CostlyPlace {
    /// Runs `work` on a thread of its own.
    ///
    /// # Errors
    ///
    /// `INTERNAL_ERROR` if it panics.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> ApiResult<T> {
        thread::run(move || {
            let _place = self;
            work()
        })
        .await
    }
}
