//! Pending sets, brought forward by the word of an app.

use backup_core::SharePairId;
use portal_api::compat::BackupStage;

use super::known::Known;
use crate::{
    error::{ApiError, ApiResult},
    lifecycle::{self, Noticed},
    store::{BackupRow, Write, lifecycle_sets},
};

/// That these pairs of a client have come so far, at a time.
pub(super) struct Forward<'a> {
    pub(super) pairs: &'a [SharePairId],
    pub(super) to: BackupStage,
    pub(super) now: u64,
}

impl Forward<'_> {
    /// Brings all of them forward, or says why not. What is not committed has changed nothing.
    pub(super) async fn apply(&self, known: &Known, write: &mut Write) -> ApiResult<()> {
        let is_known = |pair| known.backups.iter().any(|row| stage(row, pair).is_some());
        if self.pairs.is_empty() || !self.pairs.iter().all(is_known) {
            return Err(ApiError::not_found("this client has no such backup share pairs"));
        }
        for row in &known.backups {
            if row.stages.iter().any(|(pair, _)| self.pairs.contains(pair)) {
                self.bring(known, row, write).await?;
            }
        }
        Ok(())
    }

    async fn bring(&self, known: &Known, row: &BackupRow, write: &mut Write) -> ApiResult<()> {
        let sets = lifecycle_sets(&known.backups);
        let Noticed::Pending(set) = lifecycle::notice(&sets, &row.set.id)? else {
            lifecycle::advances(BackupStage::ClientShare, self.to)?;
            return Ok(());
        };
        let client = &known.client.id;
        let mut stages = Vec::with_capacity(row.stages.len());
        for (pair, from) in &row.stages {
            let is_meant = self.pairs.contains(pair);
            if is_meant && lifecycle::advances(*from, self.to)? {
                write.set_stage(client, pair, self.to).await?;
            }
            stages.push(if is_meant { self.to } else { *from });
        }
        if lifecycle::completes(set, &stages, known.client.backup_with_portal)? {
            write.complete_backup(client, &set.id, false, self.now).await?;
        }
        Ok(())
    }
}

fn stage(row: &BackupRow, pair: &SharePairId) -> Option<BackupStage> {
    row.stages.iter().find(|(known, _)| known == pair).map(|(_, stage)| *stage)
}
