//! Which backups of a client a key may belong to.

use std::fmt;

use backup_core::{BackupId, EncryptionContext, Result, async_trait};

/// What the service knows of a client's backups: so that a client that names no key is given that
/// of its completed backup, and not the last one written.
#[async_trait]
pub trait Backups: fmt::Debug + Send + Sync {
    /// The backup that is being made now, if there is exactly one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`](backup_core::ErrorKind::Unavailable) if that cannot be told now.
    async fn pending(&self, client: &EncryptionContext) -> Result<Option<BackupId>>;

    /// The completed ones, the newest first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`](backup_core::ErrorKind::Unavailable) if that cannot be told now.
    async fn completed(&self, client: &EncryptionContext) -> Result<Vec<BackupId>>;
}

/// Nothing is known: clients with more than one key have to name it.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBackups;

#[async_trait]
impl Backups for NoBackups {
    async fn pending(&self, _: &EncryptionContext) -> Result<Option<BackupId>> {
        Ok(None)
    }

    async fn completed(&self, _: &EncryptionContext) -> Result<Vec<BackupId>> {
        Ok(Vec::new())
    }
}
