//! Tells the story, one plain line at a time.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use backup_core::{Progress, ProgressSink};

/// Begins a numbered step.
pub(super) fn step(title: &str) {
    static STEPS: AtomicU32 = AtomicU32::new(1);
    println!("\n{}. {title}", STEPS.fetch_add(1, Ordering::Relaxed));
}

/// Says something within a step.
pub(super) fn say(line: &str) {
    println!("   {line}");
}

/// Tells what an operation reports, and measures it from the user's last answer.
#[derive(Debug)]
pub(super) struct Narrator {
    since: Mutex<Instant>,
}

impl Default for Narrator {
    fn default() -> Self {
        Self { since: Mutex::new(Instant::now()) }
    }
}

impl Narrator {
    /// Says what was done, and how long it took since the user's last answer.
    pub(super) fn say_time(&self, what: &str) {
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        say(&format!("{what} ({:.2} s).", since.elapsed().as_secs_f64()));
    }
}

impl ProgressSink for Narrator {
    fn report(&self, progress: Progress) {
        match progress {
            Progress::Stage(stage) => say(&format!("... {stage}")),
            Progress::UserAnswered => {
                *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            }
            Progress::WaitingForUser => say("... waiting for you"),
            Progress::WeakParameters => {
                say("... this backup is weaker than today's; make a new one");
            }
            _ => {}
        }
    }
}
