//! What operations are given, and what they yield.

use backup_core::{BackupId, Curve, EncryptionKey, MethodId, SharePairId};
use portal_mpc::{ByCurve, Namespace, PrivateKey};

use crate::{Addresses, Notice, custodian::CustodianShare};

/// How a backup is to be made.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BackUpOptions {
    /// Enroll the method even if an earlier enrolment would do: a changed password, a new file.
    pub enroll_anew: bool,
    /// Do not ask the user to unlock after an enrolment. The backup is then completed, and older
    /// ones stay until something else has proved it.
    pub skip_trial: bool,
    /// Have the app's word complete it, [`Portal::stored_client_backup_share`], and not a commit:
    /// where the app stores the [ciphertext](BackedUp::cipher_text) itself. The method is enrolled
    /// anew. Such a backup is not proved, and lets no older one go, until a recovery from it.
    ///
    /// [`Portal::stored_client_backup_share`]: crate::Portal::stored_client_backup_share
    pub by_notice: bool,
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
    /// The encrypted backup. Where the service keeps ciphertexts, it has it as well; where apps
    /// do, a backup by notice is in nobody's hands but theirs.
    pub cipher_text: String,
    /// What else there is to know.
    pub notices: Vec<Notice>,
}

/// A backup whose key the app keeps itself.
#[derive(Debug)]
#[non_exhaustive]
pub struct GeneratedBackupShare {
    /// The set, of the method `CUSTOM`. It waits for the app's word.
    pub backup: BackupId,
    /// The encrypted backup, as [`BackedUp::cipher_text`].
    pub cipher_text: String,
    /// What alone opens it. Secret: it belongs into one store, and nowhere else.
    pub encryption_key: EncryptionKey,
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
    /// The encrypted backup that the app has kept. Without it the service is asked for it.
    pub cipher_text: Option<String>,
}

/// How a wallet is to be ejected.
#[derive(Debug, Default)]
pub struct EjectOptions {
    /// Which backup is opened, and how.
    pub open: RecoverOptions,
    /// The wallet on this curve alone; all of them, if it is not given.
    pub only: Option<Curve>,
    /// The custodian's halves, if the app has them from the custodian's own servers: of one backup,
    /// which is then the one that is opened. The service is asked for those that are not given.
    pub custodian_shares: ByCurve<CustodianShare>,
}

/// A wallet's private keys.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ejected {
    /// The keys. Secret.
    pub keys: ByCurve<PrivateKey>,
    /// What they are the keys of.
    pub addresses: Addresses,
    /// The backup that was opened.
    pub backup: BackupId,
    /// What else there is to know.
    pub notices: Vec<Notice>,
}

/// What may be lost when a device is cleared.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClearOptions {
    /// Clear the device even if no backup is known to work, or the service cannot be asked. Then
    /// the wallet, and whatever it holds, may be lost for good.
    pub even_without_backup: bool,
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

/// A backup in a list, with what it costs and whether it is needed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ListedBackup {
    /// The backup.
    pub backup: Backup,
    /// The length of its ciphertext in bytes, if the service has it.
    pub envelope_len: Option<usize>,
    /// Whether its method has a newer one that this device knows to work: it can be removed.
    pub superseded: bool,
}

/// What a method keeps for a client, where it keeps anything.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct KeptKey {
    /// The method.
    pub method: MethodId,
    /// What it is good for.
    pub state: KeyState,
    /// The backups at the service that it opens, newest first.
    pub opens: Vec<BackupId>,
}

/// What a key that a method keeps is good for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum KeyState {
    /// A backup at the service names it.
    OpensBackup,
    /// No backup at the service names it, and the device's own records do: as the newest of its
    /// method, or as one of which the successor is not known to work. It stays.
    Enrolled,
    /// No backup of this device has a record of it, nor has one at the service: it may be the key
    /// of something that neither tells. It is never removed.
    Unknown,
    /// The device's own records name it, as superseded or left behind, and no backup does:
    /// [`Portal::remove_superseded`](crate::Portal::remove_superseded) removes it.
    Unneeded,
}

/// All that there is of a client's backups.
#[derive(Debug)]
#[non_exhaustive]
pub struct Inventory {
    /// The backups at the service, newest first.
    pub backups: Vec<ListedBackup>,
    /// What methods keep.
    pub keys: Vec<KeptKey>,
    /// The methods that could not be asked now, and why.
    pub unanswered: Vec<(MethodId, backup_core::Error)>,
    /// What else there is to know.
    pub notices: Vec<Notice>,
}

/// What was removed of what newer backups have superseded.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Removed {
    /// The backups.
    pub backups: Vec<BackupId>,
    /// How many keys that methods kept for superseded enrolments.
    pub keys: usize,
    /// What else there is to know.
    pub notices: Vec<Notice>,
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

/// A backup share pair, as the service describes it. Its halves together bring a wallet back.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct BackupSharePair {
    /// The pair.
    pub id: SharePairId,
    /// The curve of its wallet.
    pub curve: Curve,
    /// The set that it belongs to.
    pub backup: BackupId,
    /// The method that opens it.
    pub method: MethodId,
    /// Whether it is completed: a pending one recovers nothing.
    pub completed: bool,
    /// When it was made, in seconds since 1970.
    pub created_at: u64,
}

/// A signing share pair, as the service describes it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SigningSharePair {
    /// The pair.
    pub id: SharePairId,
    /// The curve of its wallet.
    pub curve: Curve,
    /// Whether it is the one that signs. Others wait for their test.
    pub completed: bool,
    /// When it was made, in seconds since 1970.
    pub created_at: u64,
}
