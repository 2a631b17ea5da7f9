//! Recover: a pending signing set out of a completed backup set.

use async_trait::async_trait;
use backup_core::{ClientId, Curve};
use portal_api::{DevicePublicKey, PairName, PerCurve};
use portal_mpc::{ByCurve, OperationKind, PairId, StoredShare, server::Answered};

use super::{Answer, Finish, Operation, Place, Start, Step, Trouble};
use crate::{
    error::{ApiError, ApiResult},
    lifecycle::Refusal,
    sessions::{
        sets,
        shares::{Shares, Stored},
        subject::Subject,
    },
    store::{BackupRow, NewSigningSet, Snapshot, Write},
};

pub(super) struct Recover {
    pub(super) pairs: PerCurve<PairName>,
    pub(super) device_key: DevicePublicKey,
}

#[async_trait]
impl Operation for Recover {
    fn kind(&self) -> OperationKind {
        OperationKind::Recover
    }

    async fn signer(&self, _: Place<'_>, _: &mut Snapshot) -> ApiResult<DevicePublicKey> {
        Ok(self.device_key)
    }

    async fn look(&self, place: Place<'_>, view: &mut Snapshot) -> ApiResult<Start> {
        let client = &place.client.client;
        let backup = self.backup(client, view).await?;
        sets::expect_fresh(view, &self.device_key).await?;
        let halves = view.custodian_halves(client, &backup.set.id).await?;
        let halves = halves.ok_or(Refusal::NoSuchSet)?;
        let new: Vec<Curve> = halves.iter().map(|(curve, _)| curve).collect();
        let replaces = view.live_key(client).await?;
        Ok(Start { halves: Stored::Backup(halves), new, replaces })
    }

    fn answer(&self, step: Step<'_>, new: ByCurve<PairId>) -> Result<Answer, Trouble> {
        let shares = step.shares.backup()?;
        let (answered, reply) =
            portal_mpc::Recover::answer(step.context, shares.as_ref(), new, step.post)?;
        Ok((answered.to_bytes(), reply))
    }

    fn finish(&self, step: Step<'_>, state: &[u8]) -> Result<Finish, Trouble> {
        let shares = step.shares.backup()?;
        let answered = Answered::<portal_mpc::Recover>::from_bytes(state)?;
        let (shares, reply) = answered.finish(shares.as_ref(), step.post)?;
        Ok((Shares::Signing(shares.map(StoredShare::Unconfirmed)), reply))
    }

    async fn store(
        &self,
        place: Place<'_>,
        subject: &Subject,
        made: Stored,
        write: &mut Write,
    ) -> ApiResult<()> {
        let client = &place.client.client;
        let backup = self.backup(client, write).await?.set.id;
        make_room(client, write).await?;
        let set = NewSigningSet {
            device_key: self.device_key,
            replaces: subject.replaces,
            recovered_from: Some(backup),
            pairs: made.signing()?,
        };
        Ok(write.insert_signing_set(client, &set, place.now).await?)
    }
}

impl Recover {
    /// The completed set that these are all pairs of.
    async fn backup(&self, client: &ClientId, view: &mut Snapshot) -> ApiResult<BackupRow> {
        let rows = view.backups(client).await?;
        let row = rows.into_iter().find(|row| self.names_any_of(row));
        let row = row.ok_or_else(|| ApiError::not_found("there is no backup of these pairs"))?;
        if !row.set.is_completed() {
            return Err(ApiError::state_invalid("this backup was never completed: use another"));
        }
        let is_all = Curve::ALL.into_iter().all(|curve| {
            let named = self.pairs.get(curve).map(|PairName(name)| name);
            named == row.pairs.get(curve).map(|pair| &pair.id)
        });
        if !is_all {
            return Err(ApiError::bad_request("name the pairs of all curves of one backup set"));
        }
        Ok(row)
    }

    fn names_any_of(&self, row: &BackupRow) -> bool {
        row.pairs.iter().any(|(curve, pair)| {
            self.pairs.get(curve).is_some_and(|PairName(name)| *name == pair.id)
        })
    }
}

/// Of the recovered sets that wait, the oldest go.
async fn make_room(client: &ClientId, write: &mut Write) -> ApiResult<()> {
    let sets = write.signing_sets(client).await?;
    let waiting = sets.iter().filter(|set| !set.is_live && set.recovered_from.is_some());
    for set in waiting.skip(MOST_WAITING - 1) {
        write.end_sessions_of(&set.device_key).await?;
        write.delete_signing_set(client, &set.device_key).await?;
    }
    Ok(())
}

/// How many recovered sets of a client wait for their confirmation at once.
const MOST_WAITING: usize = 4;
