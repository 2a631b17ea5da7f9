//! The five operations, each in a module of its own, and what they have in common.

mod backup;
mod confirm;
mod generate;
mod recover;
mod sign;

pub use backup::Backup;
pub use confirm::Confirm;
pub use generate::Generate;
pub use recover::Recover;
pub use sign::{Payload, Sign, SignRequest};

use backup_core::Curve;
use sha2::{Digest, Sha256};

use crate::by_curve::{ByCurve, Curves};
use crate::bytes::Writer;
use crate::error::{Error, Fault, Frozen, SignError};
use crate::pair::PairId;
use crate::protocol::Protocol;
use crate::role::Role;
use crate::session::{Nonce, SessionId, Step};
use crate::share::{Commitments, challenge};

/// One of [`Generate`], [`Sign`], [`Backup`], [`Recover`] and [`Confirm`]. Sealed: what the two
/// parties do is not an extension point.
pub trait Operation: Sized + 'static {
    /// The same as a value.
    const KIND: OperationKind;

    /// Its errors: only signing can freeze a pair.
    type Error: From<Error> + FromFault;

    #[doc(hidden)]
    type Secp256k1: Protocol;
    #[doc(hidden)]
    type Ed25519: Protocol;
    /// What either side brings for one curve.
    #[doc(hidden)]
    type Source<'a, R: Role>: Source<'a, Self>;
    /// What either side ends with, for one curve.
    type Output<R: Role>;

    /// The length of what the client states in its first post.
    #[doc(hidden)]
    fn claim_len(curve: Curve) -> usize;

    /// What it is called if that is false.
    #[doc(hidden)]
    const FALSE_CLAIM: Error = Error::WrongSession;

    #[doc(hidden)]
    fn output<R: Role>(
        source: &Self::Source<'_, R>,
        made: Made<Self>,
        new: Option<NewPair>,
    ) -> Result<Self::Output<R>, Error>;
}

/// What a side brings to an operation on one curve.
#[doc(hidden)]
pub trait Source<'a, O: Operation>: Copy {
    /// The pair, but for key generation.
    fn pair(self) -> Option<PairId>;

    /// What the client states in its first post and the server compares with what it knows.
    fn claim(self) -> Vec<u8>;

    /// What is checked before any round, on both sides.
    fn check(self) -> Result<(), Error> {
        Ok(())
    }

    fn secp256k1(self) -> Result<<O::Secp256k1 as Protocol>::Input<'a>, Error>;

    fn ed25519(self) -> Result<<O::Ed25519 as Protocol>::Input<'a>, Error>;
}

/// What the protocol of one curve ended with.
#[allow(missing_debug_implementations, reason = "it holds new shares, and is internal")]
#[doc(hidden)]
pub enum Made<O: Operation> {
    Secp256k1(<O::Secp256k1 as Protocol>::Output),
    Ed25519(<O::Ed25519 as Protocol>::Output),
}

/// The id of a pair being made, and what its test challenge is made of.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct NewPair {
    pub(crate) id: PairId,
    pub(crate) challenge: [u8; 32],
}

/// An error of an operation from what happened inside.
#[doc(hidden)]
pub trait FromFault {
    fn from_fault(fault: Fault, curve: Curve, pair: Option<PairId>) -> Self;
}

impl FromFault for Error {
    fn from_fault(fault: Fault, _: Curve, _: Option<PairId>) -> Self {
        match fault {
            Fault::Failed(error) => error,
            // Only signing runs on oblivious transfers that are used again.
            Fault::Ban => Self::Misbehaved("the multiplication is inconsistent"),
        }
    }
}

impl FromFault for SignError {
    fn from_fault(fault: Fault, curve: Curve, pair: Option<PairId>) -> Self {
        match (fault, pair) {
            (Fault::Ban, Some(pair)) => Self::Frozen(Frozen { curve, pair }),
            (fault, pair) => Self::Failed(Error::from_fault(fault, curve, pair)),
        }
    }
}

/// Which operation a message or a state belongs to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum OperationKind {
    /// [`Generate`].
    Generate = 1,
    /// [`Sign`].
    Sign = 2,
    /// [`Backup`].
    Backup = 3,
    /// [`Recover`].
    Recover = 4,
    /// [`Confirm`].
    Confirm = 5,
}

impl OperationKind {
    /// Whether it makes a pair, whose id the server gives in its first reply.
    pub(crate) const fn makes_pair(self) -> bool {
        matches!(self, Self::Generate | Self::Backup | Self::Recover)
    }

    /// Whether the pair that it makes signs a test challenge, to which the server's first reply
    /// contributes a nonce.
    pub(crate) const fn has_test(self) -> bool {
        matches!(self, Self::Generate | Self::Recover)
    }

    /// Whether it starts from a pair, whose id the client gives in its first post.
    const fn has_pair(self) -> bool {
        !matches!(self, Self::Generate)
    }

    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Generate),
            2 => Some(Self::Sign),
            3 => Some(Self::Backup),
            4 => Some(Self::Recover),
            5 => Some(Self::Confirm),
            _ => None,
        }
    }

    /// The length of a body, which is fixed for each step and set of curves.
    pub(crate) fn body_len(self, step: Step, curves: Curves) -> usize {
        match self {
            Self::Generate => body_len::<Generate>(step, curves),
            Self::Sign => body_len::<Sign>(step, curves),
            Self::Backup => body_len::<Backup>(step, curves),
            Self::Recover => body_len::<Recover>(step, curves),
            Self::Confirm => body_len::<Confirm>(step, curves),
        }
    }
}

fn body_len<O: Operation>(step: Step, curves: Curves) -> usize {
    let head = match step {
        Step::FirstPost => 32,
        Step::FirstReply if O::KIND.has_test() => 32,
        _ => 0,
    };
    let chosen = Curve::ALL.into_iter().filter(|curve| curves.contains(*curve));
    head + chosen.map(|curve| part_len::<O>(step, curve)).sum::<usize>()
}

/// The length of one curve's part of a body.
fn part_len<O: Operation>(step: Step, curve: Curve) -> usize {
    head_len::<O>(step, curve) + message_len::<O>(step, curve)
}

/// The length of what stands before the protocol's message in one curve's part.
pub(crate) fn head_len<O: Operation>(step: Step, curve: Curve) -> usize {
    match step {
        Step::FirstPost => O::claim_len(curve) + if O::KIND.has_pair() { PairId::LEN } else { 0 },
        Step::FirstReply if O::KIND.makes_pair() => PairId::LEN,
        _ => 0,
    }
}

pub(crate) fn message_len<O: Operation>(step: Step, curve: Curve) -> usize {
    let lengths = match curve {
        Curve::Ed25519 => O::Ed25519::LENGTHS,
        _ => O::Secp256k1::LENGTHS,
    };
    lengths[step as usize - 1]
}

/// Refuses a refresh that changed nothing. A party that sees the other's fragment before it makes
/// its own can cancel it, and the crate for secp256k1 accepts that.
fn check_fresh(old: &Commitments, new: &Commitments) -> Result<(), Error> {
    if old.public_key() != new.public_key() {
        return Err(Error::CommitmentMismatch);
    }
    // On one line with the same key, both commitments change or neither does.
    if old == new {
        return Err(Error::Unchanged);
    }
    Ok(())
}

/// The pairs that an operation starts from.
pub(crate) fn pairs<O: Operation, R: Role>(sources: &ByCurve<O::Source<'_, R>>) -> ByCurve<PairId> {
    ByCurve {
        secp256k1: sources.secp256k1.and_then(Source::pair),
        ed25519: sources.ed25519.and_then(Source::pair),
    }
}

/// What stands before the message in the client's first post: its pair, and its claim.
pub(crate) fn write_head<O: Operation, R: Role>(source: O::Source<'_, R>, head: &mut [u8]) {
    let mut out = Writer::new(head);
    if let Some(pair) = source.pair() {
        out.put(pair.as_bytes());
    }
    out.put(&source.claim());
    out.finish();
}

/// Compares them with what the server knows, the pairs of all curves first.
pub(crate) fn check_heads<O: Operation, R: Role>(
    sources: ByCurve<O::Source<'_, R>>,
    heads: ByCurve<&[u8]>,
) -> Result<(), Error> {
    let pair_len = if O::KIND.has_pair() { PairId::LEN } else { 0 };
    let heads = sources.zip(heads.map(|head| head.split_at(pair_len)))?;
    for (_, (source, (pair, _))) in heads.iter() {
        if source.pair().is_some_and(|own| own.as_bytes() != pair) {
            return Err(Error::PairMismatch);
        }
    }
    for (_, (source, (_, claim))) in heads.iter() {
        if source.claim() != *claim {
            return Err(O::FALSE_CLAIM);
        }
    }
    Ok(())
}

/// A hash of the pairs and the claims, by which the server's second step knows that it has the
/// same sources as the first.
pub(crate) fn sources_digest<O: Operation, R: Role>(
    sources: &ByCurve<O::Source<'_, R>>,
) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"portal-mpc/v1/sources");
    for (_, source) in sources.iter() {
        if let Some(pair) = source.pair() {
            hash.update(pair.as_bytes());
        }
        hash.update(source.claim());
    }
    hash.finalize().into()
}

/// The pairs being made, with the challenges that signing pairs are tested by.
pub(crate) fn new_pairs(
    id: &SessionId,
    old: &ByCurve<PairId>,
    new: ByCurve<PairId>,
    nonces: [&Nonce; 2],
) -> Result<ByCurve<NewPair>, Error> {
    let same = new.iter().any(|(_, new)| old.iter().any(|(_, old)| old == new));
    if same || new.secp256k1 == new.ed25519 {
        return Err(Error::PairIdReused);
    }
    new.try_map(|curve, new| {
        // A generated pair comes of no other.
        let old = old.get(curve).map_or(&[0; 32], PairId::as_bytes);
        let parts = [id.as_bytes(), old, new.as_bytes(), nonces[0], nonces[1]];
        Ok(NewPair { id: new, challenge: challenge(parts) })
    })
}

/// The server's nonce, which its first reply begins with if there is a test challenge.
pub(crate) fn split_nonce(operation: OperationKind, body: &[u8]) -> (Nonce, &[u8]) {
    match body.split_first_chunk() {
        Some((nonce, rest)) if operation.has_test() => (*nonce, rest),
        _ => (Nonce::default(), body),
    }
}

pub(crate) fn write_nonce<'a>(
    operation: OperationKind,
    nonce: &Nonce,
    body: &'a mut [u8],
) -> &'a mut [u8] {
    if !operation.has_test() {
        return body;
    }
    let (head, rest) = body.split_at_mut(nonce.len());
    head.copy_from_slice(nonce);
    rest
}

#[cfg(test)]
mod tests {
    use backup_core::Curve;

    use super::check_fresh;
    use crate::error::Error;
    use crate::public_key::PublicKey;
    use crate::role::Party;
    use crate::share::Commitments;

    /// The commitments of a pair on a line through the generator, with another as client's.
    fn commitments(client: u8) -> Commitments {
        let mut scalar = [0; 32];
        let point = |scalar: [u8; 32]| {
            PublicKey::from_ed25519(crate::ed25519::commitment(&scalar).unwrap())
        };
        scalar[0] = 1;
        let key = point(scalar);
        scalar[0] = client;
        Commitments::of(Party::Client, point(scalar), key).unwrap()
    }

    #[test]
    fn a_refresh_that_changed_nothing_is_refused() {
        let old = commitments(5);
        assert_eq!(old.public_key().as_bytes().len(), Curve::Ed25519.point_len());
        assert_eq!(check_fresh(&old, &old), Err(Error::Unchanged));
        assert_eq!(check_fresh(&old, &commitments(6)), Ok(()));
    }
}
