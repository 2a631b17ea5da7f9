//! The parts of a body: one for each curve, in order, each a head and the protocol's message.

use backup_core::Curve;

use crate::by_curve::{ByCurve, Curves};
use crate::error::Fault;
use crate::operation::{FromFault, Operation, Source, head_len, message_len};
use crate::protocol::Protocol;
use crate::role::Role;
use crate::session::Step;

/// One value for each curve, of a type of its own.
pub(crate) struct PerCurve<S, E> {
    pub(crate) secp256k1: Option<S>,
    pub(crate) ed25519: Option<E>,
}

/// The states of an operation's protocols.
pub(crate) type StartedOn<O> =
    PerCurve<<Secp256k1<O> as Protocol>::Started, <Ed25519<O> as Protocol>::Started>;
pub(crate) type AdvancedOn<O> =
    PerCurve<<Secp256k1<O> as Protocol>::Advanced, <Ed25519<O> as Protocol>::Advanced>;
pub(crate) type AnsweredOn<O> =
    PerCurve<<Secp256k1<O> as Protocol>::Answered, <Ed25519<O> as Protocol>::Answered>;

type Secp256k1<O> = <O as Operation>::Secp256k1;
type Ed25519<O> = <O as Operation>::Ed25519;

impl<S, E> PerCurve<S, E> {
    /// Each value with what belongs to its curve.
    #[allow(clippy::type_complexity, reason = "the type is spelled out by its fields")]
    pub(crate) fn zip<T>(self, with: ByCurve<T>) -> PerCurve<(S, T), (E, T)> {
        PerCurve {
            secp256k1: self.secp256k1.zip(with.secp256k1),
            ed25519: self.ed25519.zip(with.ed25519),
        }
    }

    /// Runs a step on each curve.
    pub(crate) fn run<T, U, Fail>(
        self,
        secp256k1: impl FnOnce(S) -> Result<T, Fail>,
        ed25519: impl FnOnce(E) -> Result<U, Fail>,
    ) -> Result<PerCurve<T, U>, Fail> {
        Ok(PerCurve {
            secp256k1: self.secp256k1.map(secp256k1).transpose()?,
            ed25519: self.ed25519.map(ed25519).transpose()?,
        })
    }
}

impl<T> From<ByCurve<T>> for PerCurve<T, T> {
    fn from(values: ByCurve<T>) -> Self {
        Self { secp256k1: values.secp256k1, ed25519: values.ed25519 }
    }
}

impl<T> From<PerCurve<T, T>> for ByCurve<T> {
    fn from(values: PerCurve<T, T>) -> Self {
        Self { secp256k1: values.secp256k1, ed25519: values.ed25519 }
    }
}

/// Head and message of each curve's part.
pub(crate) fn split<O: Operation>(
    step: Step,
    curves: Curves,
    mut body: &[u8],
) -> ByCurve<(&[u8], &[u8])> {
    let mut part = |curve| {
        let (head, rest) = body.split_at(head_len::<O>(step, curve));
        let (message, rest) = rest.split_at(message_len::<O>(step, curve));
        body = rest;
        (head, message)
    };
    ByCurve {
        secp256k1: curves.contains(Curve::Secp256k1).then(|| part(Curve::Secp256k1)),
        ed25519: curves.contains(Curve::Ed25519).then(|| part(Curve::Ed25519)),
    }
}

/// The same to be filled.
pub(crate) fn split_mut<O: Operation>(
    step: Step,
    curves: Curves,
    mut body: &mut [u8],
) -> ByCurve<(&mut [u8], &mut [u8])> {
    let mut part = |curve| {
        let (head, rest) = std::mem::take(&mut body).split_at_mut(head_len::<O>(step, curve));
        let (message, rest) = rest.split_at_mut(message_len::<O>(step, curve));
        body = rest;
        (head, message)
    };
    ByCurve {
        secp256k1: curves.contains(Curve::Secp256k1).then(|| part(Curve::Secp256k1)),
        ed25519: curves.contains(Curve::Ed25519).then(|| part(Curve::Ed25519)),
    }
}

/// An error of the operation, which says on which curve and pair it was.
pub(crate) fn blame<O: Operation, R: Role>(
    curve: Curve,
    source: O::Source<'_, R>,
) -> impl Fn(Fault) -> O::Error {
    let pair = source.pair();
    move |fault| O::Error::from_fault(fault, curve, pair)
}
