//! Why the service does not start.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use portal_keys::KeyFileError;

use crate::{random::NoRandomness, store::StoreError};

/// Why the service does not start. Nothing was lost by trying.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data folder, or a file in it, cannot be used.
    #[error("cannot use {path}: {source}; check its owner and the disk")]
    Folder {
        /// Which it is.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process serves from the data folder.
    #[error("another process uses the data folder {0}; end that one first")]
    InUse(PathBuf),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key file cannot be used. None is made in its place: what is sealed needs that one.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A key is not the one that everything was sealed under.
    #[error(transparent)]
    Key(#[from] backup_core::Error),
    /// There is no randomness.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The passkey enclave cannot run as it is told to.
    #[error("the passkey enclave cannot run like this: {0}")]
    Enclave(#[source] backup_core::Error),
    /// Custodians could not let anybody eject for the usual time.
    #[error("the longest time for ejecting a wallet has to be five minutes or more")]
    EjectTooShort,
    /// A database that is restored could need a backup that is gone.
    #[error(
        "a superseded backup would be kept for {grace:?} and a copy of the database may be \
         {restore_window:?} old when it is restored: keep backups for as long as copies, \
         or longer, and copies for longer than nothing"
    )]
    GraceTooShort {
        /// How long it would be kept.
        grace: Duration,
        /// How old a copy may be.
        restore_window: Duration,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which it is.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

impl StartError {
    pub(super) fn folder(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Folder { path, source }
    }
}
