//! Every effect that this crate has outside its own memory: on files, and on the service.
//!
//! An observer is told before each effect, and can stop there: that is how a test finds every point
//! at which a process can die, without a list kept by hand.

use std::{fmt, io, path::Path, sync::Arc};

/// One effect, about to happen.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Effect<'a> {
    /// An empty file is created, where there is none.
    Create(&'a Path),
    /// Bytes are written to the end of a created file. They are encrypted.
    Write(&'a Path, &'a [u8]),
    /// A file's bytes are made durable.
    Sync(&'a Path),
    /// A file takes another name, and the place of what had that name.
    Rename(&'a Path, &'a Path),
    /// A file is removed.
    Remove(&'a Path),
    /// The names in a folder are made durable.
    SyncFolder(&'a Path),
    /// A request is sent to the service.
    Send {
        /// The method, in upper case.
        method: &'a str,
        /// The path at the service.
        path: &'a str,
    },
    /// An answer of the service has come, whole, and is acted upon.
    Received {
        /// The method of the request.
        method: &'a str,
        /// The path of the request.
        path: &'a str,
        /// The status of the answer.
        status: u16,
    },
}

/// Whoever is told of every effect before it happens.
///
/// Implemented by closures.
pub trait EffectObserver: Send + Sync {
    /// Takes note; an error keeps this effect from happening, and its operation fails with it.
    ///
    /// # Errors
    ///
    /// Whatever the operation is to fail with.
    fn before(&self, effect: Effect<'_>) -> io::Result<()>;
}

impl<F: Fn(Effect<'_>) -> io::Result<()> + Send + Sync> EffectObserver for F {
    fn before(&self, effect: Effect<'_>) -> io::Result<()> {
        self(effect)
    }
}

/// Whoever observes the effects, if anybody does.
#[derive(Clone, Default)]
pub(crate) struct Effects(Option<Arc<dyn EffectObserver>>);

impl Effects {
    pub(crate) fn observed_by(observer: Arc<dyn EffectObserver>) -> Self {
        Self(Some(observer))
    }

    pub(crate) fn tell(&self, effect: Effect<'_>) -> io::Result<()> {
        self.0.as_ref().map_or(Ok(()), |observer| observer.before(effect))
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effects").field("observed", &self.0.is_some()).finish()
    }
}
