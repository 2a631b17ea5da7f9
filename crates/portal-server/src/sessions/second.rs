//! Second posts: a session ends.

use std::sync::Arc;

use portal_api::{Nothing, ReplyFrame, mpc_context};
use portal_mpc::Outgoing;

use super::{
    exchange::{Exchange, Reply, compute, over},
    operation::{self, Finish, Operation, Start, Step},
    seal::{Content, Seal},
    shares::Shares,
    subject::{Kept, Pairs, Subject},
    trouble::Trouble,
};
use crate::{
    error::{ApiError, ApiResult},
    limits::CostlyPlace,
    store::{SessionRow, Snapshot},
};

/// Answers a second post, or gives the stored answer again.
pub(super) async fn answer(exchange: Exchange<'_>, session: &str) -> ApiResult<Reply> {
    let Nothing {} = exchange.posted.head()?;
    exchange.posted.expect_second(session)?;
    let row = exchange.session().await?.ok_or_else(over)?;
    exchange.signed.verify_after(exchange.client, &row.signer, row.first_reply_sha256)?;
    let _turn = exchange.begin()?;
    let row = exchange.session().await?.ok_or_else(over)?;
    if exchange.is_over(&row) {
        return Err(over());
    }
    match row.second_post_sha256 {
        None => conclude(exchange, &row).await,
        Some(answered) if answered == exchange.posted.sha256() => {
            exchange.stored_reply(&row, Content::SecondReply, row.sealed_second_reply.as_deref())
        }
        Some(_) => Err(exchange.end_for(another()).await),
    }
}

async fn conclude(exchange: Exchange<'_>, row: &SessionRow) -> ApiResult<Reply> {
    let seal = exchange.seal(&row.operation, &row.subject)?;
    let sealed = row.sealed_state.as_deref().ok_or_else(over)?;
    let Ok(kept) = seal.open(Content::State, sealed) else {
        return Err(exchange.end_for(another()).await);
    };
    let kept = Kept::opened(kept);
    let head = kept.head().map_err(|_| not_kept())?;
    let pairs: Pairs = serde_json::from_str(&row.subject).map_err(|_| not_kept())?;
    let subject = Subject { signer: row.signer, replaces: row.replaces, pairs };
    Second { exchange, operation: operation::of(head), subject, seal }.take(kept).await
}

struct Second<'a> {
    exchange: Exchange<'a>,
    operation: Arc<dyn Operation>,
    subject: Subject,
    seal: Seal,
}

impl Second<'_> {
    /// All that may have to be waited for, and be repeated, comes before the state is taken out.
    async fn take(&self, kept: Kept) -> ApiResult<Reply> {
        let Exchange { service, client, posted, .. } = self.exchange;
        let mut view = service.store.read().await?;
        let start = self.look(&mut view).await?;
        drop(view);
        let shares = start.halves.open(service, client).await?;
        let place = self.exchange.processor(self.operation.kind()).await?;
        let mut write = service.store.write().await?;
        if !write.take_session_state(posted.id(), &posted.sha256()).await? {
            return Err(another());
        }
        write.commit().await?;
        match self.finish(kept, shares, place).await {
            Ok(reply) => Ok(reply),
            Err(error) => Err(self.exchange.end_for(error).await),
        }
    }

    async fn finish(
        &self,
        kept: Kept,
        shares: Shares,
        place: Option<CostlyPlace>,
    ) -> ApiResult<Reply> {
        match self.compute(kept, shares, place).await? {
            Ok((made, message)) => self.store(made, message).await,
            Err(trouble) => {
                let (kind, subject) = (self.operation.kind(), &self.subject);
                Err(self.exchange.settle(kind, trouble, &subject.signer, &subject.pairs).await)
            }
        }
    }

    async fn compute(
        &self,
        kept: Kept,
        shares: Shares,
        place: Option<CostlyPlace>,
    ) -> ApiResult<Result<Finish, Trouble>> {
        let operation = Arc::clone(&self.operation);
        let posted = Arc::clone(self.exchange.posted);
        let context = mpc_context(self.exchange.client, &self.subject.signer);
        compute(place, move || {
            let post = posted.post()?;
            let state = kept.state().map_err(|_| not_kept())?;
            Ok(operation.finish(Step { context: &context, shares, post }, state))
        })
        .await?
    }

    /// What was made and the reply, or neither.
    async fn store(&self, made: Shares, message: Outgoing) -> ApiResult<Reply> {
        let Exchange { service, client, posted, .. } = self.exchange;
        let (names, method) = (self.subject.pairs.made(), self.operation.method());
        let made = made.keep(service, client, names, method).await?;
        let reply = ReplyFrame::encode(&Nothing {}, message.as_bytes());
        let sealed = self.seal.seal(Content::SecondReply, &reply)?;
        let mut write = service.store.write().await?;
        self.look(&mut write).await?;
        self.operation.store(self.exchange.place(), &self.subject, made, &mut write).await?;
        if !write.finish_session(posted.id(), &posted.sha256(), &sealed).await? {
            return Err(another());
        }
        write.commit().await?;
        Ok(reply)
    }

    async fn look(&self, view: &mut Snapshot) -> ApiResult<Start> {
        self.exchange.look_again(&*self.operation, &self.subject, view).await
    }
}

fn another() -> ApiError {
    ApiError::state_invalid("another post has ended this session: begin a new one")
}

fn not_kept() -> ApiError {
    ApiError::internal("what was kept of a session is not what this release writes")
}
