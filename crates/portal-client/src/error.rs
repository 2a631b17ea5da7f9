//! What can go wrong, sorted by what an app can do about it.

use std::io;

use backup_core::{ClientId, Curve, CustodianId, ErrorKind, MethodId};
use portal_api::ErrorId;

use crate::TraceId;

/// The result of every fallible call of the facade.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation did not come to its end. The message says what was wrong and what to do.
///
/// It never holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A backup method, or a backup that it was to open. Its kind says what to do.
    #[error(transparent)]
    Method(backup_core::Error),

    /// The device's store: its folder, its disk, or its key.
    #[error(transparent)]
    Device(backup_core::Error),

    /// The service refused. Nothing has changed, unless the message says so.
    #[error("the service refused ({id}, {status}): {message} [trace {trace}]")]
    Service {
        /// What went wrong, by its name on the wire.
        id: ErrorId,
        /// The HTTP status.
        status: u16,
        /// What the service says.
        message: String,
        /// What the request is called in the log of the service.
        trace: TraceId,
    },

    /// The service did not answer. Try again later; what was begun is finished then.
    #[error("the service cannot be reached: {0}; try again later")]
    Unreachable(String),

    /// The service answered something else than it promises to.
    #[error("the service answered wrongly: {0}; tell its operator")]
    UnexpectedAnswer(String),

    /// What the app passed in was refused. The message says what to change.
    #[error("{0}")]
    InvalidInput(String),

    /// The API key belongs to another client than the device's store.
    #[error(
        "the API key is of client {found_client} of custodian {found_custodian}, and this device \
         keeps another one's wallet: use the key that belongs to it"
    )]
    OtherClient {
        /// The custodian that the service names.
        found_custodian: CustodianId,
        /// The client that the service names.
        found_client: ClientId,
    },

    /// Another device has recovered the wallet since. Recover it here to sign here again.
    #[error("this wallet is live on another device; recover it to use it here")]
    NotLive,

    /// This device has no wallet. Create one or, if the client has one, recover it.
    #[error("there is no wallet on this device; create one or, if there is one, recover it")]
    NoWallet,

    /// There is a wallet already. Use it or, on a new device, recover it.
    #[error("this client has a wallet already; use it or, on a new device, recover it")]
    WalletExists,

    /// No completed backup fits what was asked for.
    #[error("there is no completed backup of {0} that fits; try another method")]
    NoBackup(MethodId),

    /// No backup of this wallet is known to work, so that clearing the device might lose it. Make
    /// one, or say that it may be lost.
    #[error(
        "no backup of this wallet is known to work, and this device has it: make a backup first, \
         or say that the wallet may be lost"
    )]
    NotBackedUp,

    /// Another operation with this wallet is going on. Try again when it is done.
    #[error("another operation with this wallet is going on; try again when it is done")]
    InProgress,

    /// The service does not know what it has confirmed before. Nothing was deleted here.
    #[error("the service has forgotten {0}; nothing was deleted here; tell its operator")]
    RolledBack(&'static str),

    /// A backup is not what was stored. Use another one.
    #[error("the backup cannot be used: {0}; use another one")]
    Damaged(String),

    /// The wallet is not the one that was expected. Nothing was changed.
    #[error("this is another wallet than expected: {0}")]
    OtherWallet(String),

    /// A pair must not sign any more. Back up and recover, which makes a new one.
    #[error("the {curve} pair of this wallet is frozen; back the wallet up, then recover it")]
    Frozen {
        /// The curve of the pair.
        curve: Curve,
    },

    /// The service broke a protocol. No share has changed.
    #[error("the service broke the protocol: {0}; try again, and tell its operator if it stays")]
    Protocol(portal_mpc::Error),

    /// The observer, or the end of the runtime, stopped the operation.
    #[error("the operation was stopped: {0}")]
    Stopped(io::Error),
}

impl Error {
    /// What to do about an error of a method, a backup or the device's store.
    #[must_use]
    pub fn backup_kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Method(error) | Self::Device(error) => Some(error.kind()),
            _ => None,
        }
    }

    /// The method that failed, if one did.
    #[must_use]
    pub fn method(&self) -> Option<&MethodId> {
        match self {
            Self::Method(error) => error.method(),
            Self::NoBackup(method) => Some(method),
            _ => None,
        }
    }

    /// Whether the service has decided, so that asking again is of no use.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Service { id, status, .. } => {
                *id != ErrorId::AuthFailed && (400..500).contains(status) && *status != 429
            }
            Self::NotLive | Self::Damaged(_) | Self::Frozen { .. } | Self::Protocol(_) => true,
            _ => false,
        }
    }

    /// Whether the service says that there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Service { id: ErrorId::NotFound, .. })
    }
}

impl From<portal_mpc::Error> for Error {
    fn from(error: portal_mpc::Error) -> Self {
        Self::Protocol(error)
    }
}

impl From<portal_mpc::SignError> for Error {
    fn from(error: portal_mpc::SignError) -> Self {
        match error {
            portal_mpc::SignError::Failed(error) => Self::Protocol(error),
            portal_mpc::SignError::Frozen(frozen) => Self::Frozen { curve: frozen.curve },
        }
    }
}
