//! First posts: a session begins.

use std::sync::Arc;

use backup_core::{Curve, SharePairId};
use portal_api::{
    DevicePublicKey, FirstPost, FirstReply, PairName, PerCurve, ReplyFrame, mpc_context,
};
use portal_mpc::{ByCurve, PairId};
use sha2::{Digest, Sha256};

use super::{
    exchange::{Exchange, Reply, compute, over},
    operation::{self, Answer, Operation, Start, Step},
    seal::{Content, NoRandomness},
    shares::{Shares, no_pairs},
    subject::{Kept, Pairs, Subject},
    trouble::Trouble,
};
use crate::{
    error::{ApiError, ApiResult},
    limits::CostlyPlace,
    random,
    store::{NewSession, SessionRow},
};

/// Answers a first post, or gives the stored answer again.
pub(super) async fn answer(exchange: Exchange<'_>) -> ApiResult<Reply> {
    let head: FirstPost = exchange.posted.head()?;
    let operation = operation::of(head.clone());
    exchange.posted.expect_first(operation.kind())?;
    let first = First { exchange, head, operation };
    let signer = first.verified_signer().await?;
    let _turn = exchange.begin()?;
    match exchange.session().await? {
        Some(row) => first.again(&row, signer).await,
        None => first.begin(signer).await,
    }
}

struct First<'a> {
    exchange: Exchange<'a>,
    head: FirstPost,
    operation: Arc<dyn Operation>,
}

/// What is stored of an answered post, and leaves.
struct Answered {
    subject: Subject,
    kept: Kept,
    reply: Reply,
}

impl First<'_> {
    async fn verified_signer(&self) -> ApiResult<DevicePublicKey> {
        let Exchange { service, client, signed, .. } = self.exchange;
        let mut view = service.store.read().await?;
        let signer = self.operation.signer(self.exchange.place(), &mut view).await?;
        signed.verify(client, &signer).map(|()| signer)
    }

    /// Another post ends the session, but only one that its own device has signed.
    async fn again(&self, row: &SessionRow, signer: DevicePublicKey) -> ApiResult<Reply> {
        let exchange = &self.exchange;
        if row.first_post_sha256 != exchange.posted.sha256() {
            let error = ApiError::state_invalid("another post has opened this session: it is over");
            return Err(if row.signer == signer { exchange.end_for(error).await } else { error });
        }
        if exchange.is_over(row) {
            return Err(over());
        }
        exchange.stored_reply(row, Content::FirstReply, row.sealed_first_reply.as_deref())
    }

    async fn begin(&self, signer: DevicePublicKey) -> ApiResult<Reply> {
        let Exchange { service, client, .. } = self.exchange;
        let mut view = service.store.read().await?;
        let start = self.operation.look(self.exchange.place(), &mut view).await?;
        drop(view);
        let shares = start.halves.open(service, client).await?;
        let place = self.exchange.processor(self.operation.kind()).await?;
        let answered = self.answered(signer, start, shares, place).await?;
        self.store(answered).await
    }

    async fn answered(
        &self,
        signer: DevicePublicKey,
        start: Start,
        shares: Shares,
        place: Option<CostlyPlace>,
    ) -> ApiResult<Answered> {
        let pairs = Pairs { old: start.halves.names(), new: fresh_names(&start.new)? };
        let (state, message) = match self.compute(signer, shares, &pairs.new, place).await? {
            Ok(answer) => answer,
            Err(trouble) => {
                let kind = self.operation.kind();
                return Err(self.exchange.settle(kind, trouble, &signer, &pairs).await);
            }
        };
        let makes_pairs = !start.new.is_empty();
        let head = FirstReply { pairs: makes_pairs.then(|| pairs.new.clone()) };
        let reply = ReplyFrame::encode(&head, message.as_bytes());
        let subject = Subject { signer, replaces: start.replaces, pairs };
        Ok(Answered { subject, kept: Kept::new(&self.head, &state), reply })
    }

    async fn compute(
        &self,
        signer: DevicePublicKey,
        shares: Shares,
        new: &PerCurve<PairName>,
        place: Option<CostlyPlace>,
    ) -> ApiResult<Result<Answer, Trouble>> {
        let operation = Arc::clone(&self.operation);
        let posted = Arc::clone(self.exchange.posted);
        let context = mpc_context(self.exchange.client, &signer);
        let new = ByCurve::from(new.clone()).map(|PairName(name)| PairId::from_name(name.as_str()));
        compute(place, move || {
            let post = posted.post()?;
            Ok(operation.answer(Step { context: &context, shares, post }, new))
        })
        .await?
    }

    /// Between the answer and this nothing may have changed of what it started from.
    async fn store(&self, answered: Answered) -> ApiResult<Reply> {
        let Exchange { service, client, posted, .. } = self.exchange;
        let Answered { subject, kept, reply } = answered;
        let json = subject.pairs.to_json();
        let session = self.sealed(&subject, &json, &kept, &reply)?;
        let mut write = service.store.write().await?;
        if let Some(row) = write.session(&client.client, posted.id()).await? {
            drop(write);
            return self.again(&row, subject.signer).await;
        }
        self.exchange.look_again(&*self.operation, &subject, &mut write).await?;
        write.insert_session(&client.client, session, service.now()).await?;
        write.commit().await?;
        Ok(reply)
    }

    fn sealed<'s>(
        &'s self,
        subject: &Subject,
        json: &'s str,
        kept: &Kept,
        reply: &Reply,
    ) -> ApiResult<NewSession<'s>> {
        let kind = self.operation.kind();
        let seal = self.exchange.seal(operation::name(kind), json)?;
        Ok(NewSession {
            id: self.exchange.posted.id(),
            signer: subject.signer,
            uses_signing_set: operation::uses_signing_set(kind),
            replaces: subject.replaces,
            generation: self.exchange.service.generation.0,
            operation: operation::name(kind),
            subject: json,
            first_post_sha256: self.exchange.posted.sha256(),
            first_reply_sha256: Sha256::digest(reply).into(),
            sealed_first_reply: seal.seal(Content::FirstReply, reply)?,
            sealed_state: seal.seal(Content::State, kept.as_bytes())?,
        })
    }
}

fn fresh_names(curves: &[Curve]) -> ApiResult<PerCurve<PairName>> {
    let mut names = no_pairs();
    for curve in curves {
        let name = PairName(SharePairId::new(random::name()?)?);
        match curve {
            Curve::Ed25519 => names.ed25519 = Some(name),
            _ => names.secp256k1 = Some(name),
        }
    }
    Ok(names)
}

impl From<NoRandomness> for ApiError {
    fn from(_: NoRandomness) -> Self {
        random::NoRandomness.into()
    }
}
