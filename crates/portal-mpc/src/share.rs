//! Shares: what each party keeps of a pair.

mod backup;
mod commitments;
mod format;
mod proof;
mod signing;

pub use backup::BackupShare;
pub use commitments::Commitments;
pub use proof::{Held, HoldProof};
pub use signing::{BackupSource, TestSource};
pub use signing::{FrozenShare, SigningShare, StoredShare, TestSignature, UnconfirmedShare};

pub(crate) use backup::BackupSecret;
pub(crate) use signing::{Core, SigningSecret, challenge, test_message};
