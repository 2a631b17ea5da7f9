//! What operations are given, and what they yield.

use backup_core::{BackupId, MethodId};
use portal_mpc::Namespace;

use crate::{Addresses, Notice};

/// How a backup is to be made.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BackUpOptions {
    /// Enroll the method even if an earlier enrolment would do: a changed password, a new file.
    pub enroll_anew: bool,
    /// Do not ask the user to unlock after an enrolment. The backup is then completed, and older
    /// ones stay until something else has proved it.
    pub skip_trial: bool,
}

/// A backup that was made.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct BackedUp {
    /// The set.
    pub backup: BackupId,
    /// Whether the method was enrolled for it, so that the user was asked.
    pub enrolled: bool,
    /// Whether it is known to work: it, or one with the same slot, was opened.
    pub proved: bool,
    /// What else there is to know.
    pub notices: Vec<Notice>,
}

/// How a wallet is to be recovered.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RecoverOptions {
    /// The backup to use; the method's newest one that can be used, if it is not given.
    pub backup: Option<BackupId>,
    /// What the app knows of the wallet. Without it, the service's word is taken for which wallet
    /// it is.
    pub expected: Option<Expected>,
    /// How often the user may try.
    pub attempts: Option<u32>,
}

/// What an app knows of a wallet from elsewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Expected {
    /// Its public keys.
    Wallet(Addresses),
    /// Some of its addresses, as text.
    Addresses(Vec<(Namespace, String)>),
}

impl From<Addresses> for Expected {
    fn from(addresses: Addresses) -> Self {
        Self::Wallet(addresses)
    }
}

/// A wallet that was recovered.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Recovered {
    /// The wallet.
    pub addresses: Addresses,
    /// The backup that it was recovered from.
    pub backup: BackupId,
    /// Backups that the replaced device made, newest first. If it was stolen, those made since then
    /// are a thief's: revoke their method.
    pub replaced_device_made: Vec<Backup>,
    /// What else there is to know.
    pub notices: Vec<Notice>,
}

/// A backup, as the service describes it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Backup {
    /// The set.
    pub id: BackupId,
    /// The method that opens it.
    pub method: MethodId,
    /// Whether it is completed: a pending one recovers nothing.
    pub completed: bool,
    /// Whether it is the method's newest completed one.
    pub head: bool,
    /// Whether it is known to work.
    pub proved: bool,
    /// Whether this device's signing set made it.
    pub made_here: bool,
    /// When it was made, in seconds since 1970.
    pub created_at: u64,
    /// When it was completed.
    pub completed_at: Option<u64>,
    /// When it goes, if newer ones take its place.
    pub retires_at: Option<u64>,
}

/// Where a client stands.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// The wallet on this device, if there is one.
    pub addresses: Option<Addresses>,
    /// The wallet that the service says the client has.
    pub service_addresses: Option<Addresses>,
    /// Whether this device is the one that signs.
    pub live: bool,
    /// The backups, newest first.
    pub backups: Vec<Backup>,
    /// The methods with which this device makes backups without asking, unless their newest backup
    /// is another device's.
    pub silent_methods: Vec<MethodId>,
    /// What else there is to know.
    pub notices: Vec<Notice>,
}
