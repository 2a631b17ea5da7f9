//! Ed25519: FROST (RFC 9591) between two parties, by `frost-ed25519`.

#![allow(missing_debug_implementations, reason = "states of protocols are secret, and internal")]

mod generate;
mod half;
mod messages;
mod refresh;
mod sign;

pub(crate) use generate::Generate;
pub(crate) use half::{Half, commitment};
pub(crate) use refresh::Refresh;
pub(crate) use sign::{Input, Message, Sign};

use curve25519_dalek::traits::Identity;
use curve25519_dalek::{EdwardsPoint, Scalar};
use frost_ed25519::{Ed25519Group, Group, Identifier};

use crate::error::{Error, Fault};
use crate::role::Party;

/// A point from its encoding, if it is canonical, of prime order and not the identity.
pub(crate) fn point(bytes: &[u8]) -> Option<EdwardsPoint> {
    Ed25519Group::deserialize(bytes.try_into().ok()?).ok()
}

/// The other party's commitment: on the line through the public key (at 0) and the own commitment.
pub(crate) fn other_commitment(
    party: Party,
    own: EdwardsPoint,
    public_key: EdwardsPoint,
) -> Option<EdwardsPoint> {
    let other = match party {
        Party::Client => own + own - public_key,
        Party::Server => (own + public_key) * Scalar::from(2_u8).invert(),
    };
    (other != EdwardsPoint::identity()).then_some(other)
}

fn identifier(party: Party) -> Identifier {
    Identifier::try_from(u16::from(party.code())).expect("party codes are not zero")
}

impl From<frost_ed25519::Error> for Fault {
    fn from(error: frost_ed25519::Error) -> Self {
        use frost_ed25519::Error as Frost;
        let complaint = match error {
            Frost::InvalidProofOfKnowledge { .. } => "a proof does not verify",
            Frost::InvalidSecretShare { .. } => "a value is not the committed one",
            Frost::InvalidSignatureShare { .. } => "a signature share does not verify",
            Frost::InvalidSignature => "the signature does not verify",
            _ => "a message of the protocol is wrong",
        };
        Self::Failed(Error::Misbehaved(complaint))
    }
}
