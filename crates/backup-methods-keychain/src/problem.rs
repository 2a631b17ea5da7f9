//! What is wrong with a keychain, where an app can do more than its user.

use std::{borrow::Cow, error, fmt};

use backup_core::{Error, ErrorKind};

/// The cause of an [error](Error) of this crate, where the kind alone does not say what to do.
///
/// [`KeychainProblem::of`] finds it. That a key is not there, [`ErrorKind::NotFound`], is none.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum KeychainProblem {
    /// No keychain runs in this session, or it ended meanwhile.
    NoService,
    /// A keychain runs, and has no keyring that new entries go into.
    NoKeyring,
    /// It is locked, and nobody was asked to unlock it.
    Locked,
    /// It is locked, and who was asked declined; or there is no screen to ask on.
    Declined,
    /// This program may not call it.
    Denied,
    /// It takes no entry as long as a key's.
    TooLong,
    /// It cannot be searched, so that what a crash left in it would not be found.
    NotSearchable,
    /// It forgets what it keeps, when the app ends, at a logout or at a restart of the device.
    Forgets,
}

impl KeychainProblem {
    /// The problem that caused `error`, if it came from this crate.
    #[must_use]
    pub fn of(error: &Error) -> Option<Self> {
        error.cause().map(|caused: &Caused| caused.problem)
    }

    /// The error that it causes, with what the system said of it.
    pub(crate) fn into_error(
        self,
        kind: ErrorKind,
        message: impl Into<Cow<'static, str>>,
        source: Option<Source>,
    ) -> Error {
        Error::new(kind, message).with_source(Caused { problem: self, source })
    }
}

pub(crate) type Source = Box<dyn error::Error + Send + Sync>;

#[derive(Debug)]
struct Caused {
    problem: KeychainProblem,
    source: Option<Source>,
}

impl fmt::Display for Caused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.problem)
    }
}

impl error::Error for Caused {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
