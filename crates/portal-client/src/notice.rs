//! What an app, or its user, should know beside the result of an operation.

use std::fmt;

use backup_core::{BackupId, Curve, MethodId};

/// Something that happened, or was found, beside what was asked for. It holds no secret.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// An interrupted creation or recovery was finished: this device's wallet is live.
    WalletLive,
    /// An interrupted creation or recovery could not be finished: recover, or create anew.
    WalletNotConfirmed {
        /// What the service said.
        reason: String,
    },
    /// Another device has recovered the wallet since.
    NotLive,
    /// A pair must not sign any more: back up and recover.
    Frozen {
        /// The curve of the pair.
        curve: Curve,
    },
    /// A backup was interrupted and is still to be finished, by the next operation.
    BackupInterrupted {
        /// The method of the backup.
        method: MethodId,
    },
    /// An interrupted backup was finished.
    BackupFinished {
        /// The method of the backup.
        method: MethodId,
        /// The set.
        backup: BackupId,
    },
    /// An interrupted backup was given up, and what it left is removed. Earlier ones stand; make
    /// another.
    BackupAbandoned {
        /// The method of the backup.
        method: MethodId,
        /// The set.
        backup: BackupId,
    },
    /// An interrupted backup could not be finished, and something may depend on it: nothing of it
    /// was removed. Make another.
    BackupLeft {
        /// The method of the backup.
        method: MethodId,
        /// The set.
        backup: BackupId,
    },
    /// A recovery passed over a backup that cannot be used.
    BackupUnusable {
        /// The set.
        backup: BackupId,
        /// Why.
        reason: String,
    },
    /// The service's newest backup of a method is not the one that this device completed. Nothing
    /// was deleted for it. Make another backup, and ask the service's operator.
    RolledBack {
        /// The method.
        method: MethodId,
    },
    /// An interrupted revocation was finished: of this method, nothing is left.
    RevocationFinished {
        /// The method.
        method: MethodId,
    },
    /// What an abandoned or revoked enrolment left with a method cannot be removed now; it is tried
    /// again.
    NotRemoved {
        /// The method that keeps it.
        method: MethodId,
    },
    /// A wrapping key that no backup needs any more was destroyed.
    Retired {
        /// The method.
        method: MethodId,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WalletLive => {
                f.write_str("the interrupted operation is finished: the wallet is live")
            }
            Self::WalletNotConfirmed { reason } => {
                write!(f, "the interrupted operation could not be finished ({reason})")
            }
            Self::NotLive => f.write_str("the wallet is live on another device"),
            Self::Frozen { curve } => {
                write!(f, "the {curve} pair is frozen: back the wallet up, then recover it")
            }
            Self::BackupInterrupted { method } => {
                write!(f, "a backup with {method} was interrupted: the next operation finishes it")
            }
            Self::BackupFinished { method, backup } => {
                write!(f, "the interrupted backup {backup} with {method} is finished")
            }
            Self::BackupAbandoned { method, backup } => write!(
                f,
                "the interrupted backup {backup} with {method} was given up: make another"
            ),
            Self::BackupLeft { method, backup } => write!(
                f,
                "the interrupted backup {backup} with {method} could not be finished: make another"
            ),
            Self::BackupUnusable { backup, reason } => {
                write!(f, "the backup {backup} was passed over: {reason}")
            }
            Self::RolledBack { method } => write!(
                f,
                "the service's newest backup with {method} is not the one that was made here: \
                 make another, and ask the service's operator"
            ),
            Self::RevocationFinished { method } => {
                write!(f, "the interrupted revocation of {method} is finished")
            }
            Self::NotRemoved { method } => {
                write!(f, "what an abandoned or revoked backup left with {method} is removed later")
            }
            Self::Retired { method } => {
                write!(f, "an old key with {method}, which no backup needs, was destroyed")
            }
        }
    }
}
