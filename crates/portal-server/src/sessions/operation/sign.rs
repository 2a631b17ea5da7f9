//! Sign: a signature with the live set, which leaves nothing.

use async_trait::async_trait;
use portal_api::{DevicePublicKey, PerCurve, SignPayload};
use portal_mpc::{
    ByCurve, Error, OnCurve, OperationKind, PairId, Payload, Server, SignError, SignRequest,
    SigningShare, StoredShare, server::Answered,
};

use super::{Answer, Finish, Operation, Place, Start, Step, Trouble, try_map};
use crate::{
    error::{ApiError, ApiResult},
    sessions::{
        sets,
        shares::{Shares, Stored},
        subject::Subject,
    },
    store::{Snapshot, Write},
};

pub(super) struct Sign {
    pub(super) payloads: PerCurve<SignPayload>,
}

#[async_trait]
impl Operation for Sign {
    fn kind(&self) -> OperationKind {
        OperationKind::Sign
    }

    async fn signer(&self, place: Place<'_>, view: &mut Snapshot) -> ApiResult<DevicePublicKey> {
        sets::live_key(place, view).await
    }

    async fn look(&self, place: Place<'_>, view: &mut Snapshot) -> ApiResult<Start> {
        self.check_payloads()?;
        let live = sets::live(place, view).await?;
        sets::expect_unfrozen(live.pairs.iter().filter(|(curve, _)| self.signs_on(*curve)))?;
        let halves = sets::signing_halves(place, view, &live.device_key).await?;
        let halves = ByCurve {
            secp256k1: halves.secp256k1.filter(|_| self.payloads.secp256k1.is_some()),
            ed25519: halves.ed25519.filter(|_| self.payloads.ed25519.is_some()),
        };
        if halves.iter().count() != self.payloads.iter().count() {
            return Err(ApiError::bad_request("the client has no wallet on one of these curves"));
        }
        Ok(Start { halves: Stored::Signing(halves), new: Vec::new(), replaces: None })
    }

    fn answer(&self, step: Step<'_>, _: ByCurve<PairId>) -> Result<Answer, Trouble> {
        let shares = live(step.shares)?;
        let (context, post) = (step.context, step.post);
        let answered = self
            .requests(&shares)
            .map_err(SignError::Failed)
            .and_then(|requests| portal_mpc::Sign::answer(context, requests, post));
        match answered {
            Ok((answered, reply)) => Ok((answered.to_bytes(), reply)),
            Err(error) => Err(Trouble::of(error, shares.map(StoredShare::Live))),
        }
    }

    fn finish(&self, step: Step<'_>, state: &[u8]) -> Result<Finish, Trouble> {
        let answered = Answered::<portal_mpc::Sign>::from_bytes(state)?;
        let shares = live(step.shares)?;
        let post = step.post;
        let finished = self
            .requests(&shares)
            .map_err(SignError::Failed)
            .and_then(|requests| answered.finish(requests, post));
        match finished {
            Ok((_, reply)) => Ok((Shares::Nothing, reply)),
            Err(error) => Err(Trouble::of(error, shares.map(StoredShare::Live))),
        }
    }

    async fn store(&self, _: Place<'_>, _: &Subject, _: Stored, _: &mut Write) -> ApiResult<()> {
        Ok(())
    }
}

impl Sign {
    fn signs_on(&self, curve: backup_core::Curve) -> bool {
        self.payloads.get(curve).is_some()
    }

    fn check_payloads(&self) -> ApiResult<()> {
        if self.payloads.iter().next().is_none() {
            return Err(ApiError::bad_request("name what is to be signed"));
        }
        for (curve, payload) in self.payloads.iter() {
            if payload_of(payload).curve() != curve {
                return Err(ApiError::bad_request(
                    "a digest is signed on SECP256K1, a message on ED25519",
                ));
            }
            if let SignPayload::Message(message) = payload
                && message.len() > SignPayload::MAX_MESSAGE_LEN
            {
                return Err(ApiError::bad_request("a message has at most 65536 bytes"));
            }
        }
        Ok(())
    }

    fn requests<'a>(
        &'a self,
        shares: &'a ByCurve<SigningShare<Server>>,
    ) -> Result<ByCurve<SignRequest<'a, Server>>, Error> {
        let requests = shares.iter().filter_map(|(curve, share)| {
            let payload = payload_of(self.payloads.get(curve)?);
            Some(SignRequest { share, payload })
        });
        ByCurve::collect(requests)
    }
}

const fn payload_of(payload: &SignPayload) -> Payload<'_> {
    match payload {
        SignPayload::Digest(digest) => Payload::Digest(digest),
        SignPayload::Message(message) => Payload::Message(message.as_slice()),
    }
}

fn live(shares: Shares) -> Result<ByCurve<SigningShare<Server>>, Error> {
    try_map(shares.signing()?, |share| match share {
        StoredShare::Live(share) => Ok(share),
        StoredShare::Frozen(_) | StoredShare::Unconfirmed(_) => Err(Error::PairMismatch),
    })
}
