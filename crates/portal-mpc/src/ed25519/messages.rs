//! What travels on Ed25519: points and scalars of 32 bytes, without any framing.

use std::collections::BTreeMap;

use curve25519_dalek::constants::ED25519_BASEPOINT_COMPRESSED;
use frost_ed25519::keys::dkg::{round1, round2};
use frost_ed25519::keys::{SigningShare, VerifiableSecretSharingCommitment};
use frost_ed25519::round1::{NonceCommitment, SigningCommitments};
use frost_ed25519::{Identifier, Signature};
use zeroize::Zeroizing;

use super::identifier;
use crate::error::{Error, Fault};
use crate::role::Party;

/// The length of a scalar or a point.
pub(crate) const FIELD: usize = 32;

/// The length of a signature: a point and a scalar.
pub(crate) const SIGNATURE: usize = 2 * FIELD;

/// One message of the other party, as the crate takes it.
pub(crate) fn from_other<T>(party: Party, message: T) -> BTreeMap<Identifier, T> {
    BTreeMap::from([(identifier(party.other()), message)])
}

/// Writes the commitments to a polynomial, and the proof that its constant term is known.
pub(crate) fn write_commitment(package: &round1::Package, out: &mut [u8]) -> Result<(), Fault> {
    let (commitment, proof) = out.split_at_mut(out.len() - SIGNATURE);
    write_slope(package, commitment)?;
    write(&package.proof_of_knowledge().serialize()?, proof)
}

pub(crate) fn read_commitment(bytes: &[u8]) -> Result<round1::Package, Fault> {
    let (commitment, proof) = bytes.split_at(bytes.len() - SIGNATURE);
    package(commitment, proof)
}

/// Writes the commitments alone. Where the constant term is zero the crate looks at no proof, and
/// what is not looked at does not travel.
pub(crate) fn write_slope(package: &round1::Package, out: &mut [u8]) -> Result<(), Fault> {
    write(&package.commitment().serialize_whole()?, out)
}

pub(crate) fn read_slope(bytes: &[u8]) -> Result<round1::Package, Fault> {
    let mut unused = [0; SIGNATURE];
    unused[..FIELD].copy_from_slice(ED25519_BASEPOINT_COMPRESSED.as_bytes());
    package(bytes, &unused)
}

fn package(commitment: &[u8], proof: &[u8]) -> Result<round1::Package, Fault> {
    let commitment = VerifiableSecretSharingCommitment::deserialize_whole(commitment)?;
    Ok(round1::Package::new(commitment, Signature::deserialize(proof)?))
}

/// Writes the one value that key generation and refresh send to the other party.
pub(crate) fn write_share(
    party: Party,
    shares: &BTreeMap<Identifier, round2::Package>,
    out: &mut [u8],
) -> Result<(), Fault> {
    let share = shares.get(&identifier(party.other())).ok_or(WRONG_SIZE)?;
    write(&Zeroizing::new(share.signing_share().serialize()), out)
}

pub(crate) fn read_share(bytes: &[u8]) -> Result<round2::Package, Fault> {
    Ok(round2::Package::new(SigningShare::deserialize(bytes)?))
}

pub(crate) fn write_nonces(commitments: &SigningCommitments, out: &mut [u8]) -> Result<(), Fault> {
    let (hiding, binding) = out.split_at_mut(FIELD);
    write(&commitments.hiding().serialize()?, hiding)?;
    write(&commitments.binding().serialize()?, binding)
}

pub(crate) fn read_nonces(bytes: &[u8]) -> Result<SigningCommitments, Fault> {
    let (hiding, binding) = bytes.split_at(FIELD);
    let hiding = NonceCommitment::deserialize(hiding)?;
    Ok(SigningCommitments::new(hiding, NonceCommitment::deserialize(binding)?))
}

pub(crate) fn write(field: &[u8], out: &mut [u8]) -> Result<(), Fault> {
    if field.len() != out.len() {
        return Err(WRONG_SIZE.into());
    }
    out.copy_from_slice(field);
    Ok(())
}

const WRONG_SIZE: Error = Error::Misbehaved("a message has the wrong dimensions");
