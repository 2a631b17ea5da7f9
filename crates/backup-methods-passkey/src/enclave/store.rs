//! Where an enclave keeps what it knows of its clients.

use std::fmt;

use backup_core::{EncryptionContext, Result, async_trait};

use super::{AuditRecord, KeyId};
use crate::CredentialId;

/// The storage of an enclave. All nodes of a service share one.
///
/// Of each client it keeps a record of public facts with a version, and the sealed keys, one for
/// each passkey that may have it. What changes, changes by one [`Commit`].
#[async_trait]
pub trait EnclaveStore: fmt::Debug + Send + Sync {
    /// The client's record, and its version.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`](backup_core::ErrorKind::Unavailable) if the storage does not
    /// answer.
    async fn load(&self, client: &EncryptionContext) -> Result<Loaded>;

    /// What is sealed of `key` for `passkey`.
    ///
    /// # Errors
    ///
    /// As for [`load`](Self::load).
    async fn sealed(
        &self,
        client: &EncryptionContext,
        key: &KeyId,
        passkey: &CredentialId,
    ) -> Result<Option<Vec<u8>>>;

    /// Makes all of `commit` durable in one transaction, or nothing.
    ///
    /// # Errors
    ///
    /// As for [`load`](Self::load).
    async fn commit(&self, commit: &Commit<'_>) -> Result<Committed>;

    /// Adds to the audit trail what was refused.
    ///
    /// # Errors
    ///
    /// As for [`load`](Self::load).
    async fn note(&self, audit: &AuditRecord) -> Result<()>;
}

/// A client's record.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Loaded {
    /// How often it was changed; 0 if there is none.
    pub version: u64,
    /// The bytes, as they were committed; none if there is none.
    pub record: Vec<u8>,
}

/// What changes of one client, at once.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Commit<'a> {
    /// Whose.
    pub client: &'a EncryptionContext,
    /// The version that the record must still have; the new one is one more.
    pub version: u64,
    /// The new record.
    pub record: &'a [u8],
    /// What is sealed anew, and what goes.
    pub change: &'a Change,
    /// What is written down of it.
    pub audit: &'a AuditRecord,
}

/// What changes besides a client's record.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Change {
    /// A passkey that must be no client's yet.
    pub new_passkey: Option<CredentialId>,
    /// A passkey that goes, and whatever is sealed for it.
    pub removed_passkey: Option<CredentialId>,
    /// Keys to be kept. None is there yet.
    pub sealed: Vec<SealedKey>,
    /// A key that goes, for all passkeys.
    pub removed_key: Option<KeyId>,
}

impl Change {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { new_passkey, removed_passkey, sealed, removed_key } = self;
        new_passkey.is_none()
            && removed_passkey.is_none()
            && sealed.is_empty()
            && removed_key.is_none()
    }
}

/// A key, sealed for one passkey.
#[derive(Clone, Debug)]
pub struct SealedKey {
    /// Which key.
    pub key: KeyId,
    /// Which passkey may have it.
    pub passkey: CredentialId,
    /// What the provider is told of that passkey: SHA-256 of its id and public key, in base64url.
    /// Whoever moves what is sealed to another key needs it.
    pub holder: String,
    /// The key under the provider's key.
    pub bytes: Vec<u8>,
}

/// What became of a [`Commit`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Committed {
    /// It is durable.
    Done,
    /// The record has another version by now. Nothing was changed.
    Moved,
    /// The new passkey is registered already. Nothing was changed.
    Taken,
}
