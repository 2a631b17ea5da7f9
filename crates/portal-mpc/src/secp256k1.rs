//! secp256k1: DKLs23 between two parties, by `dkls23-core`.

#![allow(missing_debug_implementations, reason = "states of protocols are secret, and internal")]

mod backup;
mod generate;
mod half;
mod messages;
mod recover;
mod sign;
mod signer;

pub(crate) use backup::Backup;
pub(crate) use generate::Generate;
pub(crate) use half::{Half, commitment};
pub(crate) use recover::Recover;
pub(crate) use sign::{Input, Sign};

pub(crate) use signer::{TRANSFERS_LEN, read_transfers, write_transfers};

use dkls23_core::protocols::{Abort, AbortKind, AbortReason, Parameters, PartyIndex};
use k256::elliptic_curve::sec1::{FromSec1Point, ToSec1Point};
use k256::{AffinePoint, ProjectivePoint, Scalar, Sec1Point, Secp256k1};

use crate::error::{Error, Fault};
use crate::role::Party;

/// A party of the crate: a half, and the oblivious-transfer state that signing needs.
pub(crate) type Signer = dkls23_core::protocols::Party<Secp256k1>;

/// A point from its compressed encoding, if it is one and not the identity.
pub(crate) fn point(bytes: &[u8]) -> Option<AffinePoint> {
    let encoded = Sec1Point::from_bytes(bytes).ok().filter(Sec1Point::is_compressed)?;
    let point = Option::from(AffinePoint::from_sec1_point(&encoded))?;
    (point != AffinePoint::IDENTITY).then_some(point)
}

pub(crate) fn compress(point: &AffinePoint) -> [u8; 33] {
    let encoded = point.to_sec1_point(true);
    encoded.as_bytes().try_into().expect("no identity is ever compressed")
}

/// The other party's commitment: on the line through the public key (at 0) and the own commitment.
pub(crate) fn other_commitment(
    party: Party,
    own: AffinePoint,
    public_key: AffinePoint,
) -> Option<AffinePoint> {
    let (own, public_key) = (ProjectivePoint::from(own), ProjectivePoint::from(public_key));
    let other = match party {
        Party::Client => own.double() - public_key,
        Party::Server => (own + public_key) * half(),
    }
    .to_affine();
    (other != AffinePoint::IDENTITY).then_some(other)
}

/// One half in the field of scalars.
fn half() -> Scalar {
    Option::from(Scalar::from(2_u64).invert()).expect("two is not zero in a field of odd order")
}

fn parameters() -> Parameters {
    Parameters::new(2, 2).expect("two of two is a valid threshold")
}

fn index(party: Party) -> PartyIndex {
    PartyIndex::new(party.code()).expect("party codes are not zero")
}

impl From<Abort> for Fault {
    fn from(abort: Abort) -> Self {
        match (abort.kind, abort.reason) {
            (AbortKind::BanCounterparty(_), _) => Self::Ban,
            (AbortKind::Recoverable, AbortReason::SessionBindingMismatch { .. }) => {
                Self::Failed(Error::PairMismatch)
            }
            (AbortKind::Recoverable, reason) => Self::Failed(Error::Misbehaved(name(&reason))),
        }
    }
}

/// What the crate complains of, in words that hold nothing of what was sent.
const fn name(reason: &AbortReason) -> &'static str {
    match reason {
        AbortReason::ProofVerificationFailed { .. } => "a proof does not verify",
        AbortReason::CommitmentMismatch { .. }
        | AbortReason::ZeroShareDecommitFailed { .. }
        | AbortReason::ChainCodeCommitmentFailed { .. } => "a value is not the committed one",
        AbortReason::PolynomialInconsistency => "the shares are not on one line",
        AbortReason::SignatureVerificationFailed => "the signature does not verify",
        AbortReason::MultiplicationVerificationFailed { .. } => {
            "the multiplication is inconsistent"
        }
        AbortReason::TrivialInstancePoint { .. }
        | AbortReason::TrivialPublicKey
        | AbortReason::TrivialKeyShare => "a trivial value",
        _ => "a message of the protocol is wrong",
    }
}
