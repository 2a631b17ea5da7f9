//! What the service says of its own times.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    filter::LevelFilter,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

/// Keeps what the service logs of how long the answers of one route took it.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    method: &'static str,
    route: &'static str,
    last: Arc<Mutex<Duration>>,
}

impl Answered {
    /// From now on, and once in a process. As in a service that is served, what is said for whoever
    /// looks for an error is not formatted.
    pub(crate) fn watched(method: &'static str, route: &'static str) -> Self {
        let answered = Self { method, route, last: Arc::default() };
        tracing_subscriber::registry().with(LevelFilter::INFO).with(answered.clone()).init();
        answered
    }

    pub(crate) fn last(&self) -> Duration {
        *self.last.lock().expect("nobody panics with it")
    }
}

impl<S: Subscriber> Layer<S> for Answered {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = LogLine::default();
        event.record(&mut line);
        if line.method == self.method && line.route == self.route {
            *self.last.lock().expect("nobody panics with it") = Duration::from_micros(line.micros);
        }
    }
}

#[derive(Debug, Default)]
struct LogLine {
    method: String,
    route: String,
    micros: u64,
}

impl Visit for LogLine {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "method" {
            self.method = format!("{value:?}");
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "route" {
            value.clone_into(&mut self.route);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "micros" {
            self.micros = value;
        }
    }
}
