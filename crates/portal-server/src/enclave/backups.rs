//! Which backups the keys of the enclave belong to.

use backup_core::{BackupId, EncryptionContext, MethodId, Result, async_trait};
use backup_methods_passkey::enclave::Backups;

use crate::{
    lifecycle::{BackupSet, SetState},
    store::{Store, lifecycle_sets},
};

/// A client's backup sets of the method `PASSKEY`.
#[derive(Debug)]
pub(super) struct PasskeyBackups(pub(super) Store);

#[async_trait]
impl Backups for PasskeyBackups {
    async fn pending(&self, client: &EncryptionContext) -> Result<Option<BackupId>> {
        let sets = self.sets(client).await?.into_iter();
        let mut pending = sets.filter(|set| matches!(set.state, SetState::Pending { .. }));
        Ok(pending.next().map(|set| set.id))
    }

    async fn completed(&self, client: &EncryptionContext) -> Result<Vec<BackupId>> {
        let sequence = |set: &BackupSet| match set.state {
            SetState::Completed { sequence, .. } => Some(sequence),
            SetState::Pending { .. } => None,
        };
        let mut sets = self.sets(client).await?;
        sets.retain(|set| sequence(set).is_some());
        sets.sort_by_key(|set| std::cmp::Reverse(sequence(set)));
        Ok(sets.into_iter().map(|set| set.id).collect())
    }
}

impl PasskeyBackups {
    /// Of which one is pending at most: the database sees to that.
    async fn sets(&self, client: &EncryptionContext) -> Result<Vec<BackupSet>> {
        let rows = self.0.read().await?.backups(&client.client).await?;
        let mut sets = lifecycle_sets(&rows);
        sets.retain(|set| set.method == MethodId::PASSKEY);
        Ok(sets)
    }
}
