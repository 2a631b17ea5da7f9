//! The part of a share that outlives any protocol, which on this curve is all of it.

use std::collections::BTreeMap;

use backup_core::Curve;
use curve25519_dalek::{EdwardsPoint, Scalar};
use frost_ed25519::VerifyingKey;
use frost_ed25519::keys::{KeyPackage, PublicKeyPackage, SigningShare, VerifyingShare};
use zeroize::Zeroizing;

use super::identifier;
use crate::error::FormatError;
use crate::public_key::PublicKey;
use crate::role::Party;
use crate::share::Commitments;

/// One party's point of the line whose value at 0 is the private key, as the crate holds it. It
/// erases its secret when dropped.
#[doc(hidden)]
pub struct Half {
    pub(crate) key: KeyPackage,
    pub(crate) public: PublicKeyPackage,
}

impl Half {
    /// A half from a scalar and commitments that are known to belong together.
    pub(crate) fn new(party: Party, scalar: &[u8; 32], commitments: &Commitments) -> Option<Self> {
        let point = |party| commitments.of_party(party);
        let share = SigningShare::deserialize(scalar).ok()?;
        let own = VerifyingShare::deserialize(point(party).as_bytes()).ok()?;
        let other = VerifyingShare::deserialize(point(party.other()).as_bytes()).ok()?;
        let key = VerifyingKey::deserialize(commitments.public_key().as_bytes()).ok()?;
        let shares = BTreeMap::from([(identifier(party), own), (identifier(party.other()), other)]);
        Some(Self {
            key: KeyPackage::new(identifier(party), share, own, key, 2),
            public: PublicKeyPackage::new(shares, key, Some(2)),
        })
    }

    /// The scalar, little-endian.
    pub(crate) fn scalar(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.key.signing_share().serialize())
    }

    /// The public side of the pair that this is a half of.
    pub(crate) fn commitments(&self, party: Party) -> Result<Commitments, FormatError> {
        let encode = |element: Result<Vec<u8>, frost_ed25519::Error>| {
            element.map_err(|_| FormatError::Damaged)
        };
        let own = commitment(&self.scalar()).ok_or(FormatError::Damaged)?;
        let key = encode(self.public.verifying_key().serialize())?;
        let public_key = PublicKey::from_bytes(Curve::Ed25519, &key)?;
        let commitments = Commitments::of(party, PublicKey::from_ed25519(own), public_key)?;
        for party in [Party::Client, Party::Server] {
            let share = self.public.verifying_shares().get(&identifier(party));
            let share = encode(share.ok_or(FormatError::Damaged)?.serialize())?;
            if share != commitments.of_party(party).as_bytes() {
                return Err(FormatError::Damaged);
            }
        }
        Ok(commitments)
    }
}

/// The commitment to a scalar of 32 bytes, little-endian, if they are less than the order and not
/// zero.
pub(crate) fn commitment(scalar: &[u8]) -> Option<EdwardsPoint> {
    let scalar: Option<Scalar> = Scalar::from_canonical_bytes(scalar.try_into().ok()?).into();
    let scalar = Zeroizing::new(scalar.filter(|scalar| *scalar != Scalar::ZERO)?);
    Some(EdwardsPoint::mul_base(&scalar))
}
