//! What a device keeps: its half of each wallet, what it seals backups with, and a journal.

mod codec;
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
    effects::{Effect, EffectObserver},
    journal::{BackupRun, Journal, Step},
    recovery::{Decision, ServerSet, ServerSigning, SigningDecision, after_crash, of_signing},
    state::{DeviceState, SigningPair, SigningSet},
    store::{DeviceStore, WalletOperation},
};
