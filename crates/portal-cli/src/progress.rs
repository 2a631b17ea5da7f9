//! Shows how an operation goes, on stderr.

use std::{fmt, time::Duration};

use backup_core::{Progress, ProgressSink, Stage};
use indicatif::ProgressBar;

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
            Progress::Stage(stage) => eprintln!("... {stage}"),
            Progress::WeakParameters => eprintln!("{WEAK}"),
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

const WEAK: &str = "This backup is weaker than one made today: run `portal backup --enroll-anew`.";
