//! What travels on secp256k1, and the dimensions that it must have before the crate sees it.

use dkls23_core::protocols::PartiesMessage;
use dkls23_core::protocols::dkg::{KeepInitMulPhase3to4, TransmitInitMulPhase3to4};
use dkls23_core::protocols::signing::{Broadcast3to4, TransmitPhase1to2, TransmitPhase2to3};
use dkls23_core::utilities::multiplication::{L, OT_WIDTH};
use dkls23_core::utilities::ot::extension::{BATCH_SIZE, EXTENDED_BATCH_SIZE, KAPPA, OT_SECURITY};
use dkls23_core::utilities::proofs::{CPProof, DLogProof, EncProof, R, RandomCommitments, T};
use k256::elliptic_curve::PrimeField;
use k256::{AffinePoint, FieldBytes, Scalar, Secp256k1};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::{Error, Fault};

/// The length of a fragment: one scalar.
pub(crate) const FRAGMENT: usize = 32;

/// The length of a salt under which the crate commits.
const SALT: usize = 64;

/// A message in the crate's own encoding, which has one length only.
pub(crate) trait Encoded: Serialize + DeserializeOwned {
    /// The length.
    const LEN: usize;

    /// Whether every part has the size that the crate takes for granted.
    fn well_formed(&self) -> bool;

    fn write(&self, out: &mut [u8]) -> Result<(), Fault> {
        let written = postcard::to_slice(self, out).map_err(|_| WRONG_SIZE)?.len();
        if written == Self::LEN { Ok(()) } else { Err(WRONG_SIZE.into()) }
    }

    fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let (message, rest) = postcard::take_from_bytes::<Self>(bytes).map_err(|_| WRONG_SIZE)?;
        if rest.is_empty() && message.well_formed() { Ok(message) } else { Err(WRONG_SIZE.into()) }
    }
}

const WRONG_SIZE: Error = Error::Misbehaved("a message has the wrong dimensions");

/// Writes a fragment of the other party's new point.
pub(crate) fn write_scalar(scalar: &Scalar, out: &mut [u8]) {
    out.copy_from_slice(&scalar.to_repr());
}

pub(crate) fn read_scalar(bytes: &[u8]) -> Result<Scalar, Fault> {
    let bytes = FieldBytes::try_from(bytes).map_err(|_| WRONG_SIZE)?;
    let scalar: Option<Scalar> = Scalar::from_repr(bytes).into();
    scalar.ok_or(Error::Misbehaved("a scalar is out of range").into())
}

/// Writes the commitments to what is revealed later.
pub(crate) fn write_hashes<const N: usize>(hashes: [[u8; 32]; N], out: &mut [u8]) {
    out.copy_from_slice(hashes.as_flattened());
}

pub(crate) fn read_hashes<const N: usize>(bytes: &[u8]) -> Result<[[u8; 32]; N], Fault> {
    let (hashes, _) = bytes.as_chunks();
    hashes.try_into().map_err(|_| WRONG_SIZE.into())
}

/// The seed that both parties add up to one which only they know, with its salt.
#[derive(Clone, Deserialize, Serialize, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Seed {
    pub(crate) seed: [u8; 32],
    pub(crate) salt: Vec<u8>,
}

/// What sets up oblivious transfers in both directions.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Transfers {
    pub(crate) proof: DLogProof<Secp256k1>,
    pub(crate) nonce: Scalar,
    pub(crate) encryptions: Vec<EncProof<Secp256k1>>,
    pub(crate) seed: [u8; 32],
}

/// The chain code's part, with its salt.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct ChainCode {
    pub(crate) part: [u8; 32],
    pub(crate) salt: Vec<u8>,
}

/// What a fast refresh reveals.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct FastReveal {
    pub(crate) proof: DLogProof<Secp256k1>,
    pub(crate) zero: Seed,
}

/// What a complete refresh reveals.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct CompleteReveal {
    pub(crate) proof: DLogProof<Secp256k1>,
    pub(crate) zero: Seed,
    pub(crate) transfers: Transfers,
}

/// What key generation reveals.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct KeyReveal {
    pub(crate) complete: CompleteReveal,
    pub(crate) chain_code: ChainCode,
}

impl Encoded for FastReveal {
    const LEN: usize = DLOG_LEN + SEED_LEN;

    fn well_formed(&self) -> bool {
        dlog_proof(&self.proof) && self.zero.salt.len() == SALT
    }
}

impl Encoded for CompleteReveal {
    const LEN: usize = FastReveal::LEN + TRANSFERS_LEN;

    fn well_formed(&self) -> bool {
        dlog_proof(&self.proof) && self.zero.salt.len() == SALT && self.transfers.well_formed()
    }
}

impl Encoded for KeyReveal {
    const LEN: usize = CompleteReveal::LEN + SEED_LEN;

    fn well_formed(&self) -> bool {
        self.complete.well_formed() && self.chain_code.salt.len() == SALT
    }
}

impl Transfers {
    fn well_formed(&self) -> bool {
        dlog_proof(&self.proof)
            && self.encryptions.len() == usize::from(KAPPA)
            && self.encryptions.iter().all(encryption_proof)
    }
}

impl Encoded for TransmitPhase1to2 {
    const LEN: usize = PARTIES_LEN
        + 2 * 32
        + 32
        + 3
        + KAPPA as usize * (EXTENDED_BATCH_SIZE as usize / 8)
        + OT_SECURITY as usize / 8
        + 2
        + KAPPA as usize * (OT_SECURITY as usize / 8);

    fn well_formed(&self) -> bool {
        let rows = usize::from(KAPPA);
        self.mul_transmit.u.len() == rows && self.mul_transmit.verify_t.len() == rows
    }
}

impl Encoded for TransmitPhase2to3<Secp256k1> {
    const LEN: usize = PARTIES_LEN
        + 32
        + 4 * POINT_LEN
        + SCALAR_LEN
        + 1
        + SALT
        + 1
        + OT_WIDTH as usize * (2 + BATCH_SIZE as usize * SCALAR_LEN)
        + 2 * 32
        + 2 * (1 + L as usize * SCALAR_LEN);

    fn well_formed(&self) -> bool {
        let multiplication = &self.mul_transmit;
        let points = [self.gamma_u, self.gamma_v, self.public_share, self.instance_point];
        let (width, inputs) = (usize::from(OT_WIDTH), usize::from(L));
        points.iter().all(|point| *point != AffinePoint::IDENTITY)
            && self.salt.len() == SALT
            && multiplication.vector_of_tau.len() == width
            && multiplication.vector_of_tau.iter().all(|row| row.len() == usize::from(BATCH_SIZE))
            && multiplication.verify_u.len() == inputs
            && multiplication.gamma_sender.len() == inputs
    }
}

impl Encoded for Broadcast3to4<Secp256k1> {
    const LEN: usize = 2 * SCALAR_LEN;

    fn well_formed(&self) -> bool {
        true
    }
}

/// A Fischlin proof of a discrete logarithm, of a point that is not the identity.
fn dlog_proof(proof: &DLogProof<Secp256k1>) -> bool {
    let repetitions = usize::from(R);
    proof.point != AffinePoint::IDENTITY
        && proof.rand_commitments.len() == repetitions
        && proof.proofs.len() == repetitions
        && proof.proofs.iter().all(|part| part.challenge.len() == usize::from(T) / 8)
}

/// A proof of a base transfer, none of whose points is the identity.
fn encryption_proof(proof: &EncProof<Secp256k1>) -> bool {
    let EncProof { proof0, proof1, commitments0, commitments1, .. } = proof;
    let chaum_pedersen = |CPProof { base_g, base_h, point_u, point_v, .. }: &CPProof<Secp256k1>| {
        [base_g, base_h, point_u, point_v].iter().all(|point| **point != AffinePoint::IDENTITY)
    };
    let random = |RandomCommitments { rc_g, rc_h }: &RandomCommitments<Secp256k1>| {
        *rc_g != AffinePoint::IDENTITY && *rc_h != AffinePoint::IDENTITY
    };
    chaum_pedersen(proof0) && chaum_pedersen(proof1) && random(commitments0) && random(commitments1)
}

// Lengths in the crate's encoding: a scalar and a point carry a length byte, a list one or two.
const SCALAR_LEN: usize = 33;
const POINT_LEN: usize = 34;
const PARTIES_LEN: usize = 2;
const SEED_LEN: usize = 32 + 1 + SALT;
const DLOG_LEN: usize = POINT_LEN + 1 + R as usize * POINT_LEN + 1 + R as usize * (5 + SCALAR_LEN);
const ENCRYPTION_LEN: usize = 2 * (4 * POINT_LEN + SCALAR_LEN) + 4 * POINT_LEN + 2 * SCALAR_LEN;
const TRANSFERS_LEN: usize = DLOG_LEN + SCALAR_LEN + 2 + KAPPA as usize * ENCRYPTION_LEN + 32;

impl From<TransmitInitMulPhase3to4<Secp256k1>> for Transfers {
    fn from(sent: TransmitInitMulPhase3to4<Secp256k1>) -> Self {
        Self {
            proof: sent.dlog_proof,
            nonce: sent.nonce,
            encryptions: sent.enc_proofs,
            seed: sent.seed,
        }
    }
}

impl Transfers {
    /// As the crate takes it, between the parties that we know it to be between.
    pub(crate) fn into_crate(self, parties: PartiesMessage) -> TransmitInitMulPhase3to4<Secp256k1> {
        TransmitInitMulPhase3to4 {
            parties,
            dlog_proof: self.proof,
            nonce: self.nonce,
            enc_proofs: self.encryptions,
            seed: self.seed,
        }
    }
}

/// The crate does not erase what it keeps of the base transfers.
pub(crate) fn erase_transfers(kept: &mut KeepInitMulPhase3to4<Secp256k1>) {
    kept.ot_sender.s.zeroize();
    kept.ot_receiver.seed.zeroize();
    kept.correlation.zeroize();
    kept.vec_r.zeroize();
}
