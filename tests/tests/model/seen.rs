//! What has happened somewhere in the model: kept beside its states, which it would multiply.

use std::sync::atomic::{AtomicU32, Ordering};

/// Something that has to happen for the model to say anything.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Retired,
    Revoked,
    Displaced,
    CommitRefused,
    ConfirmRefused,
    LateCommit,
    Concluded,
    RolledBack,
    Finished,
    Left,
    ConfirmedBefore,
    PendingDropped,
    BothKept,
    RecoveredFromOlder,
    KeyDestroyed,
}

#[derive(Debug, Default)]
pub(crate) struct Seen(AtomicU32);

impl Seen {
    pub(crate) fn note(&self, event: Event) {
        self.0.fetch_or(1 << event as u32, Ordering::Relaxed);
    }

    pub(crate) fn has(&self, event: Event) -> bool {
        self.0.load(Ordering::Relaxed) & 1 << event as u32 != 0
    }
}
