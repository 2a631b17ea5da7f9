//! What a device keeps: its half of each wallet, what it seals backups with, and a journal.

pub(crate) mod codec;
mod completion;
mod effects;
mod files;
mod journal;
#[cfg(test)]
mod parsing;
mod recovery;
mod sealed_file;
mod state;
mod store;

pub use self::{
    completion::{Completion, Half, Trial},
    journal::{BackupRun, Journal, Step},
    recovery::{
        Decision, ServerSet, ServerSigning, SigningDecision, after_crash, after_replacement,
        of_signing,
    },
    state::{DeviceState, SigningPair, SigningSet},
    store::{DeviceStore, WalletOperation},
};
