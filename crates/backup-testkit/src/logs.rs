//! Everything that is logged, by `log` or `tracing`, at the most verbose level.

use std::{
    fmt::{self, Write},
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use log::{LevelFilter, Log, Metadata, Record};
use tracing_core::{
    Event, Subscriber, dispatcher,
    field::{Field, Visit},
    span,
};

use crate::record::lock;

/// Collects everything that this process logs, on all threads, for as long as it lives.
///
/// Other tests of the process may log at the same time: look for one's own secrets only.
#[derive(Debug)]
pub struct LogCapture(Arc<Mutex<String>>);

impl LogCapture {
    /// Begins to collect.
    ///
    /// # Panics
    ///
    /// If something else collects the logs of this process: nothing could be said about them then.
    #[must_use]
    pub fn start() -> Self {
        install();
        let text = Arc::new(Mutex::new(String::new()));
        lock(&CAPTURES).push(Arc::downgrade(&text));
        Self(text)
    }

    /// What was logged so far.
    #[must_use]
    pub fn text(&self) -> String {
        lock(&self.0).clone()
    }
}

static CAPTURES: Mutex<Vec<Weak<Mutex<String>>>> = Mutex::new(Vec::new());

fn install() {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    let installed = *INSTALLED.get_or_init(|| {
        log::set_max_level(LevelFilter::Trace);
        let dispatch = dispatcher::Dispatch::new(Collector::default());
        log::set_boxed_logger(Box::new(Collector::default())).is_ok()
            && dispatcher::set_global_default(dispatch).is_ok()
    });
    assert!(
        installed,
        "something else takes the logs of this process, so they cannot be searched for secrets; \
         run the suite in a test binary that sets no logger and no tracing subscriber"
    );
}

fn collect(line: &str) {
    lock(&CAPTURES).retain(|capture| match capture.upgrade() {
        Some(text) => {
            let mut text = lock(&text);
            text.push_str(line);
            text.push('\n');
            true
        }
        None => false,
    });
}

/// The other end of both logging crates.
#[derive(Default)]
struct Collector {
    spans: AtomicU64,
}

impl Log for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        collect(&format!("{} {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}

impl Subscriber for Collector {
    fn enabled(&self, _: &tracing_core::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut line = Line(attributes.metadata().name().to_owned());
        attributes.record(&mut line);
        collect(&line.0);
        span::Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        collect(&line.0);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        collect(&line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The fields of one event or span, in one line.
struct Line(String);

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {field}={value}");
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_crates_are_heard_at_every_level() {
        let capture = LogCapture::start();
        log::trace!("logged {}", 1);
        tracing::trace!(field = "two", "traced {}", 2);
        tracing::debug_span!("span", inside = 3).in_scope(|| ());
        let text = capture.text();
        for part in ["logged 1", "traced 2", "field=two", "span inside=3"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}
