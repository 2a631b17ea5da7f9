//! What can be wrong with a key file, and what to do about it.

use std::{error, fmt, io, path::PathBuf};

use backup_core::{Error, ErrorKind};

/// What is wrong with a key file. Its text says what to do; it never holds the key.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyFileError {
    /// There is no file.
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is a file already, where one was to be made.
    Exists {
        /// Where it is.
        path: PathBuf,
    },
    /// Others than the owner may read or write the file.
    TooOpen {
        /// Where it is.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file is not a key file, or its bytes have changed.
    Damaged {
        /// Where it is.
        path: PathBuf,
    },
    /// A newer version of this software made the file.
    UnknownVersion {
        /// Where it is.
        path: PathBuf,
    },
    /// The file holds another key.
    WrongKey {
        /// Where it is.
        path: PathBuf,
        /// The id of the key that should be in it.
        expected: String,
        /// The id of the key that is.
        found: String,
    },
    /// The operating system did not let the file be read or made.
    Io {
        /// Where it is.
        path: PathBuf,
        /// What was tried, as in "cannot read".
        attempt: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The operating system has no randomness to make a key of.
    NoRandomness {
        /// Why.
        source: Error,
    },
}

impl KeyFileError {
    pub(super) fn io(path: &std::path::Path, attempt: &'static str, source: io::Error) -> Self {
        Self::Io { path: path.into(), attempt, source }
    }

    /// What the caller can do next.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing { .. } => ErrorKind::NotFound,
            Self::Exists { .. } => ErrorKind::Conflict,
            Self::TooOpen { .. } => ErrorKind::InvalidInput,
            Self::Damaged { .. } => ErrorKind::Damaged,
            Self::UnknownVersion { .. } => ErrorKind::UnknownVersion,
            Self::WrongKey { .. } => ErrorKind::Unauthorized,
            Self::Io { .. } | Self::NoRandomness { .. } => ErrorKind::Unavailable,
        }
    }
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(
                f,
                "there is no key file {}; restore it from its copy, or create one if the database \
                 is new",
                path.display()
            ),
            Self::Exists { path } => write!(
                f,
                "{} exists and was not touched; open it, or create the key under another name",
                path.display()
            ),
            Self::TooOpen { path, mode } => write!(
                f,
                "others may use the key file {} (mode {mode:04o}); run chmod 600 on it, and \
                 consider whether anybody has read it",
                path.display()
            ),
            Self::Damaged { path } => {
                write!(f, "{} is not a whole key file; restore it from its copy", path.display())
            }
            Self::UnknownVersion { path } => write!(
                f,
                "a newer version of this software made the key file {}; update",
                path.display()
            ),
            Self::WrongKey { path, expected, found } => write!(
                f,
                "{} holds the key {found}, not {expected}; configure the file that holds that one",
                path.display()
            ),
            Self::Io { path, attempt, .. } => write!(
                f,
                "cannot {attempt} the key file {}; check its folder, owner and disk",
                path.display()
            ),
            Self::NoRandomness { .. } => f.write_str("a key cannot be made; try again later"),
        }
    }
}

impl error::Error for KeyFileError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::NoRandomness { source } => Some(source),
            _ => None,
        }
    }
}

impl From<KeyFileError> for Error {
    fn from(error: KeyFileError) -> Self {
        Self::new(error.kind(), error.to_string()).with_source(error)
    }
}
