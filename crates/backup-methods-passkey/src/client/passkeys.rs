//! A user's passkeys at an enclave: to add one, to rename it, and to replace one that is lost.

use backup_core::{Operation, Result};

use super::{PasskeyEnclave, calls::Purpose};
use crate::{CredentialId, HeldPasskey, Status};

impl PasskeyEnclave {
    /// How far the user has come.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`](backup_core::ErrorKind::Unavailable) if the service does not
    /// answer; [`EnclaveProblem::SignInNeeded`](crate::EnclaveProblem::SignInNeeded).
    pub async fn status(&self) -> Result<Status> {
        self.calls.status().await
    }

    /// The user's passkeys, in the order of their registration, and which keys they have.
    ///
    /// # Errors
    ///
    /// As for [`status`](Self::status).
    pub async fn passkeys(&self) -> Result<Vec<HeldPasskey>> {
        self.calls.passkeys().await
    }

    /// Gives `to` all keys of the passkey with which the user confirms: so that either opens the
    /// backups, and one of them may be lost. [`register_passkey`](Self::register_passkey) makes
    /// such a passkey.
    ///
    /// # Errors
    ///
    /// [`EnclaveProblem::NotAllowed`](crate::EnclaveProblem::NotAllowed) if no other passkey has a
    /// key; as for `register_passkey`.
    pub async fn grant(&self, op: &Operation<'_>, to: &CredentialId) -> Result<()> {
        self.confirm(op, Purpose::Grant(to)).await
    }

    /// Calls a passkey otherwise: 1 to 64 bytes. One that has all keys of it confirms.
    ///
    /// # Errors
    ///
    /// As for [`grant`](Self::grant).
    pub async fn rename(&self, op: &Operation<'_>, id: &CredentialId, name: &str) -> Result<()> {
        self.confirm(op, Purpose::Rename(id, name)).await
    }

    /// Removes a passkey, a lost one perhaps. One that has all keys of it confirms.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](backup_core::ErrorKind::InvalidInput) if a key would have no
    /// passkey left; as for [`grant`](Self::grant).
    pub async fn remove(&self, op: &Operation<'_>, id: &CredentialId) -> Result<()> {
        self.confirm(op, Purpose::Remove(id)).await
    }
}
