//! What the enclave knows of one client, but for the keys themselves: public facts, as JSON.

use backup_core::{BackupId, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::{Passkey, PasskeyAuthentication, PasskeyRegistration};

use super::{KeyId, Refusal};
use crate::{CredentialId, base64url};

/// A client's passkeys, the names of the keys that they may have, and what is going on.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    v: u8,
    pub(super) passkeys: Vec<Known>,
    pub(super) keys: Vec<Stored>,
    ceremonies: Vec<Ceremony>,
    /// When answers did not hold, in seconds since 1970.
    failures: Vec<u64>,
}

/// A registered passkey.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Known {
    pub(super) id: CredentialId,
    pub(super) name: String,
    pub(super) added_at: u64,
    /// The highest signature counter that it has shown; 0 for those that have none.
    pub(super) counter: u32,
    pub(super) passkey: Passkey,
}

/// A stored key.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Stored {
    pub(super) id: KeyId,
    pub(super) written_at: u64,
    /// The backup that was being made when it was written.
    pub(super) backup: Option<String>,
    /// The passkeys that may have it. Never empty.
    pub(super) holders: Vec<CredentialId>,
}

/// What was begun and not finished.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Ceremony {
    session: String,
    expires_at: u64,
    pub(super) stage: Stage,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) enum Stage {
    Registration { state: PasskeyRegistration, name: String },
    Login { state: PasskeyAuthentication, intent: Intent },
}

/// What a passkey is asked to confirm.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Intent {
    /// To read or to write a key.
    Use,
    Delete(KeyId),
    Grant(CredentialId),
    Rename(CredentialId, String),
    Remove(CredentialId),
}

impl Account {
    pub(super) fn decode(record: &[u8]) -> Result<Self> {
        if record.is_empty() {
            return Ok(Self::default());
        }
        let account: Self = serde_json::from_slice(record).map_err(|_| {
            Error::new(ErrorKind::Damaged, "the enclave's record of this client is malformed")
        })?;
        if account.v != VERSION {
            return Err(Error::new(
                ErrorKind::UnknownVersion,
                "a newer version of this software wrote the enclave's records; update",
            ));
        }
        Ok(account)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("these are plain structs")
    }

    pub(super) fn known(&self, id: &CredentialId) -> Option<&Known> {
        self.passkeys.iter().find(|known| known.id == *id)
    }

    pub(super) fn known_mut(&mut self, id: &CredentialId) -> Option<&mut Known> {
        self.passkeys.iter_mut().find(|known| known.id == *id)
    }

    pub(super) fn stored(&self, id: &KeyId) -> Option<&Stored> {
        self.keys.iter().find(|stored| stored.id == *id)
    }

    pub(super) fn stored_mut(&mut self, id: &KeyId) -> Option<&mut Stored> {
        self.keys.iter_mut().find(|stored| stored.id == *id)
    }

    /// The keys that this passkey may have.
    pub(super) fn held_by<'a>(
        &'a self,
        passkey: &'a CredentialId,
    ) -> impl Iterator<Item = &'a Stored> {
        self.keys.iter().filter(move |stored| stored.holders.contains(passkey))
    }

    /// Whether `passkey` may rename or remove `other`: itself, or whatever has all the keys that
    /// the other one has. A passkey that was registered with a stolen API key has none of them.
    pub(super) fn may_change(&self, passkey: &CredentialId, other: &CredentialId) -> bool {
        passkey == other || self.held_by(other).all(|stored| stored.holders.contains(passkey))
    }

    /// Notes a ceremony, and lets go of those that are over.
    pub(super) fn begin(&mut self, now: u64, stage: Stage) -> Result<String, Refusal> {
        self.ceremonies.retain(|ceremony| ceremony.expires_at > now);
        if self.ceremonies.len() >= MAX_CEREMONIES {
            return Err(Refusal::LimitReached("finish a ceremony, or wait five minutes"));
        }
        let session = base64url::encode(&crate::ceremony::random_bytes()?);
        let expires_at = now + CEREMONY_SECONDS;
        self.ceremonies.push(Ceremony { session: session.clone(), expires_at, stage });
        Ok(session)
    }

    /// Takes a ceremony out: it is good for one answer.
    pub(super) fn take(&mut self, now: u64, session: &str) -> Result<Stage, Refusal> {
        let is_it = |ceremony: &Ceremony| ceremony.session == session && ceremony.expires_at > now;
        let at = self.ceremonies.iter().position(is_it).ok_or(Refusal::UnknownCeremony)?;
        Ok(self.ceremonies.swap_remove(at).stage)
    }

    /// Refuses whoever has failed too often of late.
    pub(super) fn expect_attempts_left(&self, now: u64) -> Result<(), Refusal> {
        let recent = self.failures.iter().filter(|&&at| at + FAILURE_SECONDS > now).count();
        if recent < MAX_FAILURES { Ok(()) } else { Err(Refusal::TooManyAttempts) }
    }

    pub(super) fn note_failure(&mut self, now: u64) {
        self.failures.retain(|&at| at + FAILURE_SECONDS > now);
        self.failures.push(now);
    }
}

impl Default for Account {
    fn default() -> Self {
        Self {
            v: VERSION,
            passkeys: Vec::new(),
            keys: Vec::new(),
            ceremonies: Vec::new(),
            failures: Vec::new(),
        }
    }
}

impl Stored {
    pub(super) fn is_of(&self, backup: &BackupId) -> bool {
        self.backup.as_deref() == Some(backup.as_str())
    }
}

const VERSION: u8 = 1;

/// How long a ceremony may take: what WebAuthn Level 3 (section 15.1) recommends.
const CEREMONY_SECONDS: u64 = 5 * 60;

/// Ceremonies of one client at a time: so that none can fill the storage.
const MAX_CEREMONIES: usize = 16;

/// Answers of one client that do not hold, within [`FAILURE_SECONDS`].
const MAX_FAILURES: usize = 10;

const FAILURE_SECONDS: u64 = 15 * 60;

/// Passkeys of one client.
pub(super) const MAX_PASSKEYS: usize = 20;

/// Keys that one passkey may have. A limit for each passkey, so that nobody can use up another's.
pub(super) const MAX_KEYS: usize = 64;
