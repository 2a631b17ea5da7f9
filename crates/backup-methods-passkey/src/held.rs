//! What an enclave tells a client without a ceremony.

use serde::{Deserialize, Serialize};

use crate::{CredentialId, KeyId};

/// How far a client has come, by Portal's names.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Status {
    /// There is no passkey.
    #[serde(rename = "not registered")]
    NotRegistered,
    /// There are passkeys, and no key.
    #[serde(rename = "registered")]
    Registered,
    /// There is a key.
    #[serde(rename = "registered with credential")]
    WithCredential,
}

/// A registered passkey.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HeldPasskey {
    /// Its id.
    pub id: CredentialId,
    /// How the user calls it.
    pub name: String,
    /// When it was registered, in seconds since 1970, UTC.
    pub added_at: u64,
    /// The keys that it may have.
    pub keys: Vec<KeyId>,
}

/// A stored key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HeldKey {
    /// Its name.
    pub id: KeyId,
    /// When it was written, in seconds since 1970, UTC.
    pub written_at: u64,
}
