//! What the service does that outlasts it. An observer is told before each of these, and can end
//! the process there: so a test finds every point at which it can die, with no list kept by hand.

use std::fmt;

/// Something that is about to happen.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// A file of the data folder is made.
    File {
        /// Its name in the folder.
        name: &'static str,
    },
    /// A transaction is committed.
    Commit,
    /// A transaction has been committed, durably, and whoever waits for it goes on.
    Committed,
    /// An answer leaves.
    Reply {
        /// Its HTTP status.
        status: u16,
    },
}

/// Whoever is told of every effect before it happens. Implemented by closures.
pub trait EffectObserver: Send + Sync {
    /// Takes note.
    fn before(&self, effect: Effect);
}

impl<F: Fn(Effect) + Send + Sync> EffectObserver for F {
    fn before(&self, effect: Effect) {
        self(effect);
    }
}

/// Takes no note.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl EffectObserver for Nobody {
    fn before(&self, _: Effect) {}
}

impl fmt::Debug for dyn EffectObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EffectObserver")
    }
}
