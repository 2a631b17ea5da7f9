//! One post of one client, and what either kind of post needs to be answered.

use std::sync::Arc;

use backup_core::EncryptionContext;
use portal_api::DevicePublicKey;
use portal_mpc::{OperationKind, StoredShare};
use zeroize::Zeroizing;

use super::{
    in_progress::Turn,
    operation::{self, Operation, Place, Start},
    posted::Posted,
    seal::{Content, Seal},
    shares,
    subject::{Pairs, Subject},
    trouble::{Trouble, named},
};
use crate::{
    error::{ApiError, ApiResult},
    limits::CostlyPlace,
    maintenance::SESSION_SECONDS,
    service::Service,
    signed::Signed,
    store::{SessionRow, Snapshot},
    thread,
};

/// The body of a reply.
pub(super) type Reply = Zeroizing<Vec<u8>>;

/// One post of one client.
#[derive(Clone, Copy)]
pub(super) struct Exchange<'a> {
    pub(super) service: &'a Service,
    pub(super) client: &'a EncryptionContext,
    pub(super) signed: &'a Signed,
    pub(super) posted: &'a Arc<Posted>,
}

impl<'a> Exchange<'a> {
    pub(super) fn place(&self) -> Place<'a> {
        Place { client: self.client, now: self.service.now() }
    }

    /// The same post is not answered twice at once.
    pub(super) fn begin(&self) -> ApiResult<Turn> {
        self.service.in_progress.begin(self.posted.id(), self.posted.sha256())
    }

    /// The session of this post, if it has begun.
    pub(super) async fn session(&self) -> ApiResult<Option<SessionRow>> {
        let mut view = self.service.store.read().await?;
        Ok(view.session(&self.client.client, self.posted.id()).await?)
    }

    /// Whether nothing more comes of a session.
    pub(super) fn is_over(&self, row: &SessionRow) -> bool {
        row.is_dead
            || row.generation != self.service.generation.0
            || row.created_at.saturating_add(SESSION_SECONDS) <= self.service.now()
    }

    /// What seals and opens that of the session.
    pub(super) fn seal(&self, operation: &str, subject: &str) -> ApiResult<Seal> {
        let secret = self.posted.secret()?;
        let key = self.service.session_key.expose();
        Ok(Seal::new(key, &secret, self.posted.id(), operation, subject))
    }

    /// A reply that was stored.
    pub(super) fn stored_reply(
        &self,
        row: &SessionRow,
        content: Content,
        sealed: Option<&[u8]>,
    ) -> ApiResult<Reply> {
        let sealed = sealed.ok_or_else(over)?;
        let seal = self.seal(&row.operation, &row.subject)?;
        seal.open(content, sealed).map_err(|_| over())
    }

    /// What the operation starts from, if that is still what the session began with.
    pub(super) async fn look_again(
        &self,
        operation: &dyn Operation,
        subject: &Subject,
        view: &mut Snapshot,
    ) -> ApiResult<Start> {
        if operation.signer(self.place(), view).await? != subject.signer {
            return Err(ApiError::share_mismatch());
        }
        let start = operation.look(self.place(), view).await?;
        if start.halves.names() != subject.pairs.old {
            return Err(ApiError::state_invalid("the pairs have changed: begin a new session"));
        }
        Ok(start)
    }

    /// A place for the steps of an operation, if they are costly.
    pub(super) async fn processor(&self, kind: OperationKind) -> ApiResult<Option<CostlyPlace>> {
        if !operation::is_costly(kind) {
            return Ok(None);
        }
        self.service.costly.place().await.map(Some)
    }

    /// Ends the session of this post.
    pub(super) async fn end(&self) -> ApiResult<()> {
        let mut write = self.service.store.write().await?;
        write.end_session(self.posted.id()).await?;
        Ok(write.commit().await?)
    }

    /// Ends the session, for this reason.
    pub(super) async fn end_for(&self, error: ApiError) -> ApiError {
        match self.end().await {
            Ok(()) => error,
            Err(failure) => failure,
        }
    }

    /// What the device is told of a failed step. A pair that froze is stored so before.
    pub(super) async fn settle(
        &self,
        kind: OperationKind,
        trouble: Trouble,
        signer: &DevicePublicKey,
        pairs: &Pairs,
    ) -> ApiError {
        let told = trouble.told(kind);
        match self.freeze(trouble, signer, pairs).await {
            Ok(()) => told,
            Err(failure) => failure,
        }
    }

    async fn freeze(
        &self,
        trouble: Trouble,
        signer: &DevicePublicKey,
        pairs: &Pairs,
    ) -> ApiResult<()> {
        let Trouble::Frozen { pair, share } = trouble else { return Ok(()) };
        let name = named(&pair, shares::ids(&pairs.old));
        let name = name.ok_or_else(|| ApiError::internal("a pair froze that took no part"))?;
        let sealed = match share.map(|share| StoredShare::Frozen(*share)) {
            Some(share) => self.service.custody.seal_signing(self.client, name, &share).await.ok(),
            None => None,
        };
        let mut write = self.service.store.write().await?;
        write.end_session(self.posted.id()).await?;
        let client = &self.client.client;
        if write.live_key(client).await? == Some(*signer) {
            write.freeze_signing_pair(name, sealed.as_ref().map(|pair| &pair.sealed)).await?;
        } else {
            write.end_sessions_of(signer).await?;
            write.delete_signing_set(client, signer).await?;
        }
        Ok(write.commit().await?)
    }
}

/// Runs a step on a thread that may be kept busy.
pub(super) async fn compute<T: Send + 'static>(
    place: Option<CostlyPlace>,
    step: impl FnOnce() -> T + Send + 'static,
) -> ApiResult<T> {
    match place {
        Some(place) => place.run(step).await,
        None => thread::run(step).await,
    }
}

/// Nothing more comes of the session.
pub(super) fn over() -> ApiError {
    ApiError::not_found("there is no such session, or it is over: begin a new one")
}
