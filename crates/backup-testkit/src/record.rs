//! A progress sink and a journal that remember everything.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use backup_core::{
    Error, ErrorKind, Journal, MethodId, MethodParams, Progress, ProgressSink, Result,
};

/// A progress sink that remembers what was reported.
#[derive(Debug, Default)]
pub struct RecordingProgress(Mutex<Vec<Progress>>);

impl RecordingProgress {
    /// Nothing reported yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything reported so far, in order.
    #[must_use]
    pub fn reports(&self) -> Vec<Progress> {
        lock(&self.0).clone()
    }

    /// Everything reported since the last call, in order.
    pub fn take(&self) -> Vec<Progress> {
        std::mem::take(&mut *lock(&self.0))
    }
}

impl ProgressSink for RecordingProgress {
    fn report(&self, progress: Progress) {
        lock(&self.0).push(progress);
    }
}

/// A journal that remembers what was announced, and refuses when it is told to.
#[derive(Debug, Default)]
pub struct RecordingJournal {
    entries: Mutex<Vec<(MethodId, MethodParams)>>,
    refuses: AtomicBool,
}

impl RecordingJournal {
    /// Nothing announced yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on fails, as a full disk does, or works again.
    pub fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }

    /// Everything announced so far, in order.
    #[must_use]
    pub fn entries(&self) -> Vec<(MethodId, MethodParams)> {
        lock(&self.entries).clone()
    }

    /// Everything announced since the last call, in order.
    pub fn take(&self) -> Vec<(MethodId, MethodParams)> {
        std::mem::take(&mut *lock(&self.entries))
    }
}

impl Journal for RecordingJournal {
    fn will_leave(&self, method: &MethodId, params: &MethodParams) -> Result<()> {
        if self.refuses.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "the journal's disk is full"));
        }
        lock(&self.entries).push((method.clone(), params.clone()));
        Ok(())
    }
}

/// A rule that panicked elsewhere does not hide what was recorded.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
