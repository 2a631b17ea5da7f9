//! Shows how an operation goes, on stderr.

use std::{
    cell::Cell,
    fmt,
    io::{self, IsTerminal as _},
    time::Duration,
};

use backup_core::{Progress, ProgressSink, Stage};
use indicatif::ProgressBar;

use crate::output::{Output, say};

/// Shows nothing.
#[derive(Debug)]
pub(crate) struct Nobody;

impl ProgressSink for Nobody {
    fn report(&self, _: Progress) {}
}

/// Shows a line per stage: for a log.
#[derive(Debug)]
pub(crate) struct Lines;

impl ProgressSink for Lines {
    fn report(&self, progress: Progress) {
        match progress {
            Progress::Stage(stage) => say(&format!("... {stage}")),
            Progress::WeakParameters => say(WEAK),
            _ => {}
        }
    }
}

/// Shows the stage at hand and that something is still going on: for a terminal.
pub(crate) struct Spinner(ProgressBar);

impl Default for Spinner {
    fn default() -> Self {
        Self(ProgressBar::new_spinner())
    }
}

impl ProgressSink for Spinner {
    fn report(&self, progress: Progress) {
        match progress {
            Progress::Stage(Stage::Done) => self.0.finish_and_clear(),
            Progress::Stage(stage) => self.turn(stage),
            // It would draw over the question.
            Progress::WaitingForUser => self.0.finish_and_clear(),
            Progress::WeakParameters => self.0.println(WEAK),
            _ => {}
        }
    }
}

impl Spinner {
    fn turn(&self, stage: Stage) {
        if self.0.is_finished() {
            self.0.reset();
        }
        self.0.set_message(stage.as_str());
        self.0.enable_steady_tick(Duration::from_millis(100));
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl fmt::Debug for Spinner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spinner").finish_non_exhaustive()
    }
}

/// Shows how many of how many are done: as a line that changes, or now and then as one more.
pub(crate) struct Count {
    output: Output,
    done: &'static str,
    bar: Option<ProgressBar>,
    told: Cell<u64>,
}

impl Count {
    pub(crate) fn new(output: Output, done: &'static str) -> Self {
        let is_shown = !output.json && !output.quiet && io::stderr().is_terminal();
        Self { output, done, bar: is_shown.then(|| ProgressBar::new(0)), told: Cell::new(0) }
    }

    /// So many of so many.
    pub(crate) fn at(&self, count: u64, of: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(of);
            bar.set_position(count);
        } else if count >= self.told.get() + STEP || count == of {
            self.told.set(count);
            self.output.note(&format!("... {} {count} of {of}", self.done));
        }
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How many are done between two lines of a log.
const STEP: u64 = 10_000;

const WEAK: &str = "This backup is weaker than one made today: run `portal backup --enroll-anew`.";
