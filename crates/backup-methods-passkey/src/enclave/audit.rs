//! What is written down of every request that released, changed or was refused something.

use backup_core::EncryptionContext;

use crate::{CredentialId, KeyId};

/// One line of the audit trail. It holds no secret.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AuditRecord {
    /// Whose passkeys and keys it is about.
    pub client: EncryptionContext,
    /// When, in seconds since 1970, UTC.
    pub at: u64,
    /// What was asked.
    pub action: Action,
    /// The passkey that confirmed, or that was registered.
    pub passkey: Option<CredentialId>,
    /// The key that it was about.
    pub key: Option<KeyId>,
    /// Why nothing was done; none if it was.
    pub refused: Option<&'static str>,
}

/// What was asked of the enclave.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// To begin a ceremony with a passkey that there is.
    BeginLogin,
    /// To begin one that makes a passkey.
    BeginRegistration,
    /// To delete a key, to give a passkey all keys of another, to rename or to remove one.
    Confirm,
    /// To register a passkey, and perhaps write a key by it.
    FinishRegistration,
    /// To release a key.
    Read,
    /// To write a key.
    Write,
}

impl Action {
    /// The name in an audit trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BeginLogin => "begin-login",
            Self::BeginRegistration => "begin-registration",
            Self::Confirm => "confirm",
            Self::FinishRegistration => "finish-registration",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}
