//! Back up: a pending backup set of the live set.

use async_trait::async_trait;
use backup_core::{BackupId, Curve, MethodId};
use portal_api::{Completion, DevicePublicKey};
use portal_mpc::{
    Backup, BackupSource, ByCurve, Error, OperationKind, PairId, Server, StoredShare,
    server::Answered,
};

use super::{Answer, Finish, Operation, Place, Start, Step, Trouble, try_map};
use crate::{
    error::{ApiError, ApiResult},
    lifecycle,
    sessions::{
        sets,
        shares::{Shares, Stored},
        subject::Subject,
    },
    store::{NewBackupSet, Snapshot, Write, lifecycle_sets},
};

pub(super) struct BackUp {
    pub(super) backup: BackupId,
    pub(super) method: MethodId,
    pub(super) completion: Completion,
}

#[async_trait]
impl Operation for BackUp {
    fn kind(&self) -> OperationKind {
        OperationKind::Backup
    }

    fn method(&self) -> Option<&MethodId> {
        Some(&self.method)
    }

    async fn signer(&self, place: Place<'_>, view: &mut Snapshot) -> ApiResult<DevicePublicKey> {
        sets::live_key(place, view).await
    }

    async fn look(&self, place: Place<'_>, view: &mut Snapshot) -> ApiResult<Start> {
        let live = sets::live(place, view).await?;
        let backups = view.backups(&place.client.client).await?;
        let of_this_id = backups.iter().find(|row| row.set.id == self.backup);
        if of_this_id.is_some_and(|row| row.set.is_completed() || row.set.method != self.method) {
            return Err(ApiError::state_invalid("a backup set has this id: take a new one"));
        }
        lifecycle::may_begin(&lifecycle_sets(&backups), &self.method, self.completion)?;
        let halves = sets::signing_halves(place, view, &live.device_key).await?;
        let new: Vec<Curve> = halves.iter().map(|(curve, _)| curve).collect();
        Ok(Start { halves: Stored::Signing(halves), new, replaces: None })
    }

    fn answer(&self, step: Step<'_>, new: ByCurve<PairId>) -> Result<Answer, Trouble> {
        let shares = step.shares.signing()?;
        let (answered, reply) = Backup::answer(step.context, sources(&shares)?, new, step.post)?;
        Ok((answered.to_bytes(), reply))
    }

    fn finish(&self, step: Step<'_>, state: &[u8]) -> Result<Finish, Trouble> {
        let shares = step.shares.signing()?;
        let answered = Answered::<Backup>::from_bytes(state)?;
        let (halves, reply) = answered.finish(sources(&shares)?, step.post)?;
        Ok((Shares::Backup(halves), reply))
    }

    /// It displaces the pending set of its method.
    async fn store(
        &self,
        place: Place<'_>,
        subject: &Subject,
        made: Stored,
        write: &mut Write,
    ) -> ApiResult<()> {
        let client = &place.client.client;
        let sets = lifecycle_sets(&write.backups(client).await?);
        for displaced in lifecycle::displaced(&sets, &self.method) {
            write.delete_backup(client, &displaced.id).await?;
        }
        let set = NewBackupSet {
            id: self.backup.clone(),
            method: self.method.clone(),
            completion: self.completion,
            device_key: subject.signer,
            pairs: made.backup()?,
        };
        Ok(write.insert_backup(place.client, &set, place.now).await?)
    }
}

/// A frozen pair can be backed up: that is the way out of it.
fn sources(
    shares: &ByCurve<StoredShare<Server>>,
) -> Result<ByCurve<BackupSource<'_, Server>>, Error> {
    try_map(shares.as_ref(), |share| match share {
        StoredShare::Live(share) => Ok(share.into()),
        StoredShare::Frozen(share) => Ok(share.into()),
        StoredShare::Unconfirmed(_) => Err(Error::PairMismatch),
    })
}
