//! The part of a share that outlives any protocol.

use std::collections::BTreeMap;

use dkls23_core::protocols::derivation::DerivData;
use dkls23_core::utilities::zero_shares::ZeroShare;
use k256::elliptic_curve::PrimeField;
use k256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Signer, index, parameters, point};
use crate::error::FormatError;
use crate::public_key::PublicKey;
use crate::role::Party;
use crate::share::Commitments;

/// One party's point of the line whose value at 0 is the private key, with what belongs to it.
#[derive(Zeroize, ZeroizeOnDrop)]
#[doc(hidden)]
pub struct Half {
    pub(crate) scalar: Scalar,
    #[zeroize(skip)]
    pub(crate) public_key: AffinePoint,
    /// The BIP 32 chain code, which both parties have.
    pub(crate) chain_code: [u8; 32],
    /// The crate's session id: a hash of every session that made this pair, the same on both
    /// sides.
    pub(crate) session: [u8; 32],
}

impl Half {
    /// A half from its stored parts.
    pub(crate) fn new(
        scalar: &[u8; 32],
        public_key: PublicKey,
        chain_code: [u8; 32],
        session: [u8; 32],
    ) -> Option<Self> {
        let (scalar, public_key) = (read(scalar)?, point(public_key.as_bytes())?);
        Some(Self { scalar, public_key, chain_code, session })
    }

    /// The half of a signer, without the state that signs.
    pub(crate) fn of(signer: &Signer) -> Self {
        let mut session = [0; 32];
        session.copy_from_slice(&signer.session_id);
        Self {
            scalar: signer.poly_point,
            public_key: signer.pk,
            chain_code: signer.derivation_data.chain_code,
            session,
        }
    }

    /// A signer that cannot sign: what a complete refresh starts from.
    pub(crate) fn hollow(&self, party: Party) -> Signer {
        Signer {
            parameters: parameters(),
            party_index: index(party),
            session_id: self.session.to_vec(),
            poly_point: self.scalar,
            pk: self.public_key,
            zero_share: ZeroShare::initialize(Vec::new()),
            mul_senders: BTreeMap::new(),
            mul_receivers: BTreeMap::new(),
            derivation_data: DerivData {
                depth: 0,
                child_number: 0,
                parent_fingerprint: [0; 4],
                poly_point: self.scalar,
                pk: self.public_key,
                chain_code: self.chain_code,
            },
            address: String::new(),
        }
    }

    /// The public side of the pair that this is a half of.
    pub(crate) fn commitments(&self, party: Party) -> Result<Commitments, FormatError> {
        let own = (ProjectivePoint::GENERATOR * self.scalar).to_affine();
        let public_key = PublicKey::from_secp256k1(self.public_key);
        Commitments::of(party, PublicKey::from_secp256k1(own), public_key)
    }
}

/// The commitment to a scalar of 32 bytes, big-endian, if they are less than the order and not
/// zero.
pub(crate) fn commitment(scalar: &[u8; 32]) -> Option<AffinePoint> {
    let scalar = Zeroizing::new(read(scalar)?);
    Some((ProjectivePoint::GENERATOR * *scalar).to_affine())
}

fn read(scalar: &[u8; 32]) -> Option<Scalar> {
    let scalar: Option<Scalar> = Scalar::from_repr(FieldBytes::from(*scalar)).into();
    scalar.filter(|scalar| !bool::from(scalar.is_zero()))
}
