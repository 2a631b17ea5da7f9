//! Confirm: the test signature of a signing set, which makes it live.

use async_trait::async_trait;
use portal_api::DevicePublicKey;
use portal_mpc::{
    ByCurve, Error, OnCurve, OperationKind, PairId, Server, SignError, StoredShare, TestSignature,
    TestSource, server::Answered,
};

use super::{Answer, Finish, Operation, Place, Start, Step, Trouble, try_map};
use crate::{
    error::{ApiError, ApiResult},
    lifecycle,
    maintenance::PENDING_SIGNING_SECONDS,
    sessions::{
        sets,
        shares::{Shares, Stored},
        subject::Subject,
    },
    store::{SealedPair, SigningRow, Snapshot, Write},
};

pub(super) struct Confirm {
    pub(super) device_key: DevicePublicKey,
}

#[async_trait]
impl Operation for Confirm {
    fn kind(&self) -> OperationKind {
        OperationKind::Confirm
    }

    async fn signer(&self, _: Place<'_>, _: &mut Snapshot) -> ApiResult<DevicePublicKey> {
        Ok(self.device_key)
    }

    async fn look(&self, place: Place<'_>, view: &mut Snapshot) -> ApiResult<Start> {
        let set = self.set(place, view).await?;
        sets::expect_unfrozen(set.pairs.iter())?;
        let halves = sets::signing_halves(place, view, &self.device_key).await?;
        Ok(Start { halves: Stored::Signing(halves), new: Vec::new(), replaces: None })
    }

    fn answer(&self, step: Step<'_>, _: ByCurve<PairId>) -> Result<Answer, Trouble> {
        let shares = step.shares.signing()?;
        let (context, post) = (step.context, step.post);
        let answered = sources(&shares)
            .map_err(SignError::Failed)
            .and_then(|sources| portal_mpc::Confirm::answer(context, sources, post));
        match answered {
            Ok((answered, reply)) => Ok((answered.to_bytes(), reply)),
            Err(error) => Err(Trouble::of(error, shares)),
        }
    }

    fn finish(&self, step: Step<'_>, state: &[u8]) -> Result<Finish, Trouble> {
        let answered = Answered::<portal_mpc::Confirm>::from_bytes(state)?;
        let shares = step.shares.signing()?;
        let post = step.post;
        let finished = sources(&shares)
            .map_err(SignError::Failed)
            .and_then(|sources| answered.finish(sources, post));
        match finished {
            Ok((tests, reply)) => Ok((Shares::Signing(confirmed(shares, &tests)?), reply)),
            Err(error) => Err(Trouble::of(error, shares)),
        }
    }

    /// The set is live, the one that it replaces destroyed, the backup that it came of proved: all
    /// at once. Where it is live already, nothing changes.
    async fn store(
        &self,
        place: Place<'_>,
        _: &Subject,
        made: Stored,
        write: &mut Write,
    ) -> ApiResult<()> {
        let client = &place.client.client;
        let set = self.set(place, write).await?;
        if set.is_live {
            return Ok(());
        }
        if let Some(replaced) = set.replaces {
            write.end_sessions_of(&replaced).await?;
        }
        write.make_live(client, &self.device_key).await?;
        for (_, SealedPair { pair, sealed }) in made.signing()?.iter() {
            write.replace_signing_share(&pair.id, sealed, false).await?;
        }
        if let Some(backup) = &set.recovered_from {
            write.prove_backup(client, backup, place.now).await?;
        }
        Ok(())
    }
}

impl Confirm {
    /// The set of this key, if it may become live, or is.
    async fn set(&self, place: Place<'_>, view: &mut Snapshot) -> ApiResult<SigningRow> {
        let sets = view.signing_sets(&place.client.client).await?;
        let live = sets.iter().find(|set| set.is_live).map(|set| set.device_key);
        let set = sets.into_iter().find(|set| set.device_key == self.device_key);
        let set = set.filter(|set| set.is_live || !is_over(set, place.now));
        let Some(set) = set else {
            return Err(match live {
                Some(_) => ApiError::share_mismatch(),
                None => ApiError::not_found("no such signing set waits: generate it anew"),
            });
        };
        lifecycle::confirm(live, self.device_key, set.replaces)?;
        Ok(set)
    }
}

fn is_over(set: &SigningRow, now: u64) -> bool {
    set.created_at.saturating_add(PENDING_SIGNING_SECONDS) <= now
}

fn sources(
    shares: &ByCurve<StoredShare<Server>>,
) -> Result<ByCurve<TestSource<'_, Server>>, Error> {
    try_map(shares.as_ref(), |share| share.test_source().ok_or(Error::PairMismatch))
}

fn confirmed(
    shares: ByCurve<StoredShare<Server>>,
    tests: &ByCurve<TestSignature>,
) -> Result<ByCurve<StoredShare<Server>>, Error> {
    try_map(shares, |share| {
        let test = tests.get(share.curve()).ok_or(Error::WrongCurve)?;
        share.confirm(test).map(StoredShare::Live)
    })
}
