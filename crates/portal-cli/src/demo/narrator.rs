//! Tells the story, one plain line at a time.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use backup_core::{Progress, ProgressSink};

use crate::output::print;

/// Tells the story and what operations report, and measures them from the user's last answer.
#[derive(Clone, Debug)]
pub(super) struct Narrator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    is_silent: bool,
    steps: AtomicU32,
    since: Mutex<Instant>,
}

impl Narrator {
    pub(super) fn new(is_silent: bool) -> Self {
        let (steps, since) = (AtomicU32::new(1), Mutex::new(Instant::now()));
        Self(Arc::new(Inner { is_silent, steps, since }))
    }

    /// Begins a numbered step.
    pub(super) fn step(&self, title: &str) {
        let number = self.0.steps.fetch_add(1, Ordering::Relaxed);
        self.tell(&format!("\n{number}. {title}"));
        self.restart();
    }

    /// Says something within a step.
    pub(super) fn say(&self, line: &str) {
        self.tell(&format!("   {line}"));
    }

    /// Says what was done, and how long it took since the step began or the user answered.
    pub(super) fn say_time(&self, what: &str) {
        let seconds = self.since().elapsed().as_secs_f64();
        self.say(&format!("{what} ({seconds:.2} s)."));
        self.restart();
    }

    /// Says something outside of any step.
    pub(super) fn tell(&self, text: &str) {
        if !self.0.is_silent {
            print(text);
        }
    }

    fn since(&self) -> Instant {
        *self.0.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn restart(&self) {
        *self.0.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl ProgressSink for Narrator {
    fn report(&self, progress: Progress) {
        match progress {
            Progress::Stage(stage) => self.say(&format!("... {stage}")),
            Progress::UserAnswered => self.restart(),
            Progress::WaitingForUser => self.say("... waiting for you"),
            Progress::WeakParameters => {
                self.say("... this backup is weaker than today's; make a new one");
            }
            _ => {}
        }
    }
}
