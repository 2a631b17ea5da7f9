//! Generate: a pending signing set of a new wallet.

use async_trait::async_trait;
use backup_core::Curve;
use portal_api::{DevicePublicKey, Nothing, PerCurve};
use portal_mpc::{ByCurve, OperationKind, PairId, StoredShare, server::Answered};

use super::{Answer, Finish, Operation, Place, Start, Step, Trouble};
use crate::{
    error::{ApiError, ApiResult},
    sessions::{
        sets,
        shares::{Shares, Stored},
        subject::Subject,
    },
    store::{NewSigningSet, Snapshot, Write},
};

pub(super) struct Generate {
    pub(super) curves: PerCurve<Nothing>,
    pub(super) device_key: DevicePublicKey,
}

#[async_trait]
impl Operation for Generate {
    fn kind(&self) -> OperationKind {
        OperationKind::Generate
    }

    async fn signer(&self, _: Place<'_>, _: &mut Snapshot) -> ApiResult<DevicePublicKey> {
        Ok(self.device_key)
    }

    async fn look(&self, place: Place<'_>, view: &mut Snapshot) -> ApiResult<Start> {
        let new: Vec<Curve> = self.curves.iter().map(|(curve, _)| curve).collect();
        if new.is_empty() {
            return Err(ApiError::bad_request("name the curves of the wallets to make"));
        }
        let sets = view.signing_sets(&place.client.client).await?;
        if sets.iter().any(|set| set.is_live) {
            return Err(ApiError::state_invalid("this client has its wallets: recover them"));
        }
        let is_displaced = sets
            .iter()
            .any(|set| set.device_key == self.device_key && set.recovered_from.is_none());
        if !is_displaced {
            sets::expect_fresh(view, &self.device_key).await?;
        }
        Ok(Start { halves: Stored::Nothing, new, replaces: None })
    }

    fn answer(&self, step: Step<'_>, new: ByCurve<PairId>) -> Result<Answer, Trouble> {
        let (answered, reply) = portal_mpc::Generate::answer(step.context, new, step.post)?;
        Ok((answered.to_bytes(), reply))
    }

    fn finish(&self, step: Step<'_>, state: &[u8]) -> Result<Finish, Trouble> {
        let answered = Answered::<portal_mpc::Generate>::from_bytes(state)?;
        let (shares, reply) = answered.finish(step.post)?;
        Ok((Shares::Signing(shares.map(StoredShare::Unconfirmed)), reply))
    }

    /// It displaces the pending set that an earlier one made.
    async fn store(
        &self,
        place: Place<'_>,
        _: &Subject,
        made: Stored,
        write: &mut Write,
    ) -> ApiResult<()> {
        let client = &place.client.client;
        for set in write.signing_sets(client).await? {
            if !set.is_live && set.recovered_from.is_none() {
                write.end_sessions_of(&set.device_key).await?;
                write.delete_signing_set(client, &set.device_key).await?;
            }
        }
        let set = NewSigningSet {
            device_key: self.device_key,
            replaces: None,
            recovered_from: None,
            pairs: made.signing()?,
        };
        Ok(write.insert_signing_set(client, &set, place.now).await?)
    }
}
