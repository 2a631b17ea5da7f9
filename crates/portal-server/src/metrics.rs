//! What the service counts and measures. Each part has meters of its own; here they are put
//! together. No label holds an id, a key or a path: the values of all are known when this is built.

mod endpoint;

use std::{hash::Hash, time::Duration};

use axum::http::Method;
use portal_api::route::Route;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use tokio::time;

pub(crate) use self::endpoint::endpoint;
use crate::{readiness::Keys, service::Service, webhook::Failure};

/// What is counted of requests.
#[derive(Debug)]
pub(crate) struct RequestMeters {
    /// Answered requests, by how long they took.
    answered: Family<Answered, Histogram, fn() -> Histogram>,
    sent_away: Family<SentAway, Counter>,
    in_flight: Gauge,
}

/// What is counted of costly work.
#[derive(Clone, Debug, Default)]
pub(crate) struct CostlyMeters {
    pub(crate) waiting: Gauge,
    pub(crate) running: Gauge,
}

/// What is counted of the database.
#[derive(Clone, Debug)]
pub(crate) struct StoreMeters {
    pub(crate) commit_seconds: Histogram,
    sets: Family<Ended, Counter>,
}

/// What is counted of webhooks.
#[derive(Clone, Debug)]
pub(crate) struct WebhookMeters(Family<Asked, Counter>);

/// Why a request was sent away, which may be repeated later.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// Too many requests are being answered.
    Requests,
    /// Too much costly work is being done.
    Costly,
    /// The answer took too long.
    Time,
    /// The database was kept busy.
    Database,
    /// A key did not answer.
    Key,
    /// Too many requests came from one address.
    AddressRate,
    /// Too many requests came with one API key.
    KeyRate,
    /// Too many ceremonies of passkeys were begun or finished with one API key.
    CeremonyRate,
}

/// What became of a backup set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It was completed.
    Completed,
    /// It was superseded by one that is proved, and its grace is over.
    Retired,
    /// It was not completed in time.
    Expired,
    /// Its user revoked it.
    Revoked,
}

impl Reason {
    const ALL: [Self; 8] = [
        Self::Requests,
        Self::Costly,
        Self::Time,
        Self::Database,
        Self::Key,
        Self::AddressRate,
        Self::KeyRate,
        Self::CeremonyRate,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Costly => "costly",
            Self::Time => "time",
            Self::Database => "database",
            Self::Key => "key",
            Self::AddressRate => "address_rate",
            Self::KeyRate => "key_rate",
            Self::CeremonyRate => "ceremony_rate",
        }
    }
}

impl Fate {
    const ALL: [Self; 4] = [Self::Completed, Self::Retired, Self::Expired, Self::Revoked];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Retired => "retired",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Answered {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct SentAway {
    reason: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Asked {
    outcome: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Ended {
    fate: &'static str,
}

/// One more of something that goes on, until this is dropped.
#[derive(Debug)]
pub(crate) struct GoingOn(Gauge);

impl RequestMeters {
    /// `route` is the path as the router has it; `None` if there is no such route.
    pub(crate) fn answered(
        &self,
        method: &Method,
        route: Option<&str>,
        status: u16,
        took: Duration,
    ) {
        let labels = Answered { method: known_method(method), route: known_path(route), status };
        self.answered.get_or_create(&labels).observe(took.as_secs_f64());
    }

    pub(crate) fn sent_away(&self, reason: Reason) {
        self.sent_away.get_or_create(&SentAway { reason: reason.as_str() }).inc();
    }

    pub(crate) fn begun(&self) -> GoingOn {
        GoingOn::begin(&self.in_flight)
    }
}

impl Default for RequestMeters {
    fn default() -> Self {
        Self {
            answered: Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS)),
            sent_away: from_zero(Reason::ALL.map(|why| SentAway { reason: why.as_str() })),
            in_flight: Gauge::default(),
        }
    }
}

impl WebhookMeters {
    pub(crate) fn asked(&self, outcome: &'static str) {
        self.0.get_or_create(&Asked { outcome }).inc();
    }
}

impl Default for WebhookMeters {
    fn default() -> Self {
        let failures = Failure::LABELS.into_iter();
        Self(from_zero(failures.chain(["success"]).map(|outcome| Asked { outcome })))
    }
}

impl StoreMeters {
    pub(crate) fn ended(&self, fate: Fate) {
        self.sets.get_or_create(&Ended { fate: fate.as_str() }).inc();
    }
}

impl Default for StoreMeters {
    fn default() -> Self {
        let sets = from_zero(Fate::ALL.map(|fate| Ended { fate: fate.as_str() }));
        Self { commit_seconds: Histogram::new(COMMIT_SECONDS), sets }
    }
}

/// Counters that are read as 0 before the first event: for a series that begins with it, Prometheus
/// would know of no increase.
fn from_zero<L: Clone + Eq + Hash>(labels: impl IntoIterator<Item = L>) -> Family<L, Counter> {
    let family = Family::default();
    for labels in labels {
        drop(family.get_or_create(&labels));
    }
    family
}

impl GoingOn {
    pub(crate) fn begin(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for GoingOn {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// All meters, as Prometheus reads them.
async fn exposition(service: &Service) -> String {
    let mut registry = Registry::with_prefix("portal");
    let Service { requests, store, costly, webhooks, .. } = service;
    let keys = ready(service).await;
    let help = "Whether requests are well sent here, as /ready says";
    registry.register("ready", help, fixed(i64::from(keys.is_some())));
    let help = "Whether some of the operator's keys work, and some do not";
    registry.register("degraded", help, fixed(i64::from(keys == Some(Keys::Some))));
    register_requests(&mut registry, requests);
    if let Some(open) = open_sessions(service).await {
        registry.register("sessions_open", "Sessions that wait for their second post", fixed(open));
    }
    let CostlyMeters { waiting, running } = costly.meters.clone();
    registry.register("costly_waiting", "Pieces of costly work that wait for a place", waiting);
    registry.register("costly_running", "Pieces of costly work that have a place", running);
    let StoreMeters { commit_seconds, sets } = store.meters.clone();
    registry.register("commit_seconds", "Commits of the database, by seconds", commit_seconds);
    registry.register("backup_sets", "Backup sets, by what became of them", sets);
    let WebhookMeters(asked) = webhooks.meters.clone();
    let help = "Custodians' webhooks that were asked, by the outcome";
    registry.register("webhooks_asked", help, asked);
    let mut exposition = String::new();
    text::encode(&mut exposition, &registry).expect("a string takes all that is written");
    exposition
}

/// None are told of while the database does not answer: all else still is.
async fn open_sessions(service: &Service) -> Option<i64> {
    let open = async { service.store.read().await?.open_sessions().await };
    time::timeout(PATIENCE, open).await.ok()?.ok()
}

/// How many keys work, if the service is ready. One that does not say so in time is not.
async fn ready(service: &Service) -> Option<Keys> {
    let check = service.readiness.check(&service.store, &service.custody);
    time::timeout(PATIENCE, check).await.ok()?.ok()
}

/// What is looked at when it is asked for.
fn fixed(value: i64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(value);
    gauge
}

/// Prometheus waits for ten seconds in all, unless it is told otherwise.
const PATIENCE: Duration = Duration::from_secs(2);

fn register_requests(registry: &mut Registry, requests: &RequestMeters) {
    let RequestMeters { answered, sent_away, in_flight } = requests;
    registry.register("request_seconds", "Answered requests, by seconds", answered.clone());
    let help = "Requests that were sent away, to be repeated later";
    registry.register("sent_away", help, sent_away.clone());
    let help = "Requests that are being answered";
    registry.register("requests_in_flight", help, in_flight.clone());
}

/// Callers write any word where the method stands.
fn known_method(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    known.into_iter().find(|known| method == known).unwrap_or("other")
}

/// The same with and without a slash at the end.
fn known_path(route: Option<&str>) -> &'static str {
    let path = route.map(|path| path.trim_end_matches('/'));
    let mut known = Route::ALL.into_iter().map(Route::path);
    known.find(|known| Some(*known) == path).unwrap_or("none")
}

const REQUEST_SECONDS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

const COMMIT_SECONDS: [f64; 10] =
    [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_few_values_whatever_is_asked_for() {
        assert_eq!(known_method(&Method::PATCH), "PATCH");
        assert_eq!(known_method(&Method::from_bytes(b"X7").unwrap()), "other");
        assert_eq!(known_path(Some("/api/v3/clients/me/")), "/api/v3/clients/me");
        assert_eq!(known_path(Some("/v1/sessions/{session}")), "/v1/sessions/{session}");
        assert_eq!(known_path(Some("/v1/sessions/0a0a")), "none");
        assert_eq!(known_path(None), "none");
    }

    #[test]
    fn what_goes_on_ends_when_it_is_dropped() {
        let gauge = Gauge::default();
        let one = GoingOn::begin(&gauge);
        let other = GoingOn::begin(&gauge);
        assert_eq!(gauge.get(), 2);
        drop((one, other));
        assert_eq!(gauge.get(), 0);
    }
}
