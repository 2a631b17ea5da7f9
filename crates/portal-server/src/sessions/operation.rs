//! The five operations, each in a file of its own: what it starts from, its two steps, and what it
//! leaves. All else the two posts do alike, whatever the operation.

mod back_up;
mod confirm;
mod generate;
mod recover;
mod sign;

use std::sync::Arc;

use async_trait::async_trait;
use backup_core::{Curve, EncryptionContext, MethodId};
use portal_api::{DevicePublicKey, FirstPost};
use portal_mpc::{ByCurve, Context, OperationKind, Outgoing, PairId, Post};
use zeroize::Zeroizing;

use self::{back_up::BackUp, confirm::Confirm, generate::Generate, recover::Recover, sign::Sign};
use super::{
    shares::{Shares, Stored},
    subject::Subject,
    trouble::Trouble,
};
use crate::{
    error::ApiResult,
    store::{Snapshot, Write},
};

/// What a device asks for.
#[async_trait]
pub(super) trait Operation: Send + Sync {
    /// Which of the five it is.
    fn kind(&self) -> OperationKind;

    /// The method of the backup that it makes, if it makes one.
    fn method(&self) -> Option<&MethodId> {
        None
    }

    /// Whose signature its posts carry.
    async fn signer(&self, place: Place<'_>, view: &mut Snapshot) -> ApiResult<DevicePublicKey>;

    /// What it starts from, or why it may not. Asked at either post, and once more in the
    /// transaction that stores what came of it.
    async fn look(&self, place: Place<'_>, view: &mut Snapshot) -> ApiResult<Start>;

    /// The state to keep and the message of the first reply.
    fn answer(&self, step: Step<'_>, new: ByCurve<PairId>) -> Result<Answer, Trouble>;

    /// What was made and the message of the second reply.
    fn finish(&self, step: Step<'_>, state: &[u8]) -> Result<Finish, Trouble>;

    /// Stores what was made, in a transaction in which [`look`](Self::look) has just succeeded.
    async fn store(
        &self,
        place: Place<'_>,
        subject: &Subject,
        made: Stored,
        write: &mut Write,
    ) -> ApiResult<()>;
}

/// Whose sets an operation is about, and when.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) client: &'a EncryptionContext,
    pub(super) now: u64,
}

/// What an operation starts from, as it is stored now.
#[derive(Debug)]
pub(super) struct Start {
    /// The halves that take part.
    pub(super) halves: Stored,
    /// The curves on which a pair is made.
    pub(super) new: Vec<Curve>,
    /// The set that is live now, if what is made is to replace it.
    pub(super) replaces: Option<DevicePublicKey>,
}

/// What either step is given.
pub(super) struct Step<'a> {
    pub(super) context: &'a Context,
    pub(super) shares: Shares,
    pub(super) post: Post<'a>,
}

pub(super) type Answer = (Zeroizing<Vec<u8>>, Outgoing);

pub(super) type Finish = (Shares, Outgoing);

/// The operation that this head asks for.
pub(super) fn of(head: FirstPost) -> Arc<dyn Operation> {
    match head {
        FirstPost::Generate { curves, device_key } => Arc::new(Generate { curves, device_key }),
        FirstPost::Sign { payloads } => Arc::new(Sign { payloads }),
        FirstPost::BackUp { backup, method, completion } => {
            Arc::new(BackUp { backup, method, completion })
        }
        FirstPost::Recover { pairs, device_key } => Arc::new(Recover { pairs, device_key }),
        FirstPost::Confirm { device_key } => Arc::new(Confirm { device_key }),
    }
}

/// The name of an operation, as heads have it.
pub(super) const fn name(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Generate => "generate",
        OperationKind::Sign => "sign",
        OperationKind::Backup => "backUp",
        OperationKind::Recover => "recover",
        OperationKind::Confirm => "confirm",
    }
}

/// Whether its steps keep a processor busy for long.
pub(super) const fn is_costly(kind: OperationKind) -> bool {
    matches!(kind, OperationKind::Generate | OperationKind::Recover | OperationKind::Backup)
}

/// Whether it starts from a signing set, which is then the signer's.
pub(super) const fn uses_signing_set(kind: OperationKind) -> bool {
    matches!(kind, OperationKind::Sign | OperationKind::Backup | OperationKind::Confirm)
}

/// Every value through `f`, each in its place.
fn try_map<T, U, E>(
    values: ByCurve<T>,
    mut f: impl FnMut(T) -> Result<U, E>,
) -> Result<ByCurve<U>, E> {
    Ok(ByCurve {
        secp256k1: values.secp256k1.map(&mut f).transpose()?,
        ed25519: values.ed25519.map(&mut f).transpose()?,
    })
}
