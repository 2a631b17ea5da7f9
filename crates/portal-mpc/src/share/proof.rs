//! Proofs that the client holds its half of a backup.

use std::fmt;

use k256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use k256::ecdsa::{Signature, SigningKey, VerifyingKey};
use rand_core::OsRng;
use sha2::{Digest, Sha256};

use super::{BackupSecret, BackupShare, Commitments};
use crate::by_curve::OnCurve;
use crate::error::{Error, FormatError};
use crate::pair::PairId;
use crate::role::Client;

/// A proof that the client holds its half of a backup pair: a signature under that half's
/// commitment over the pair, the commitments and a statement.
///
/// A refresh accepts a wrong share, so a server must see this before the backup may count.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct HoldProof([u8; Self::LEN]);

/// Witness that a [`HoldProof`] was verified. Only [`Commitments::verify`] makes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Held {
    pair: PairId,
    commitments: Commitments,
}

impl HoldProof {
    /// The length in bytes.
    pub const LEN: usize = 64;

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// A proof from the bytes that came.
    ///
    /// # Errors
    ///
    /// [`FormatError::Malformed`] if the length is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        bytes.try_into().map(Self).map_err(|_| FormatError::Malformed)
    }
}

impl fmt::Debug for HoldProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HoldProof({})", base16ct::lower::encode_string(&self.0))
    }
}

impl Held {
    /// The pair of which the client holds its half.
    #[must_use]
    pub const fn pair(&self) -> PairId {
        self.pair
    }

    /// Its public side.
    #[must_use]
    pub const fn commitments(&self) -> Commitments {
        self.commitments
    }
}

impl BackupShare<Client> {
    /// Proves that this half is held. The statement is whatever the proof is to be good for, such
    /// as the bytes of the commit that it goes with.
    ///
    /// # Errors
    ///
    /// [`Error::BadProof`] if the half cannot sign, which no half made here does.
    pub fn prove(&self, statement: &[u8]) -> Result<HoldProof, Error> {
        let digest = digest(self.pair(), &self.commitments(), statement);
        match self.secret() {
            BackupSecret::Secp256k1(half) => {
                let key =
                    SigningKey::from_bytes(&half.scalar.into()).map_err(|_| Error::BadProof)?;
                let signature: Signature =
                    key.sign_prehash(&digest).map_err(|_| Error::BadProof)?;
                Ok(HoldProof(signature.to_bytes().into()))
            }
            BackupSecret::Ed25519(half) => {
                let key = frost_ed25519::SigningKey::deserialize(&half.scalar())
                    .map_err(|_| Error::BadProof)?;
                let signature = key.sign(OsRng, &digest).serialize();
                let bytes = signature.ok().and_then(|bytes| bytes.try_into().ok());
                bytes.map(HoldProof).ok_or(Error::BadProof)
            }
        }
    }
}

impl Commitments {
    /// Verifies that the client holds its half of this pair. That the halves add up to the
    /// wallet's key is what a value of this type says.
    ///
    /// # Errors
    ///
    /// [`Error::BadProof`] if the proof is of another half, pair or statement.
    pub fn verify(&self, pair: PairId, statement: &[u8], proof: &HoldProof) -> Result<Held, Error> {
        let digest = digest(pair, self, statement);
        let verified = match self.curve() {
            backup_core::Curve::Secp256k1 => verify_ecdsa(self, &digest, proof),
            backup_core::Curve::Ed25519 => verify_ed25519(self, &digest, proof),
            _ => None,
        };
        verified.map(|()| Held { pair, commitments: *self }).ok_or(Error::BadProof)
    }
}

fn verify_ecdsa(commitments: &Commitments, digest: &[u8; 32], proof: &HoldProof) -> Option<()> {
    let key = VerifyingKey::from_sec1_bytes(commitments.client().as_bytes()).ok()?;
    key.verify_prehash(digest, &Signature::from_slice(&proof.0).ok()?).ok()
}

fn verify_ed25519(commitments: &Commitments, digest: &[u8; 32], proof: &HoldProof) -> Option<()> {
    let key = frost_ed25519::VerifyingKey::deserialize(commitments.client().as_bytes()).ok()?;
    key.verify(digest, &frost_ed25519::Signature::deserialize(&proof.0).ok()?).ok()
}

fn digest(pair: PairId, commitments: &Commitments, statement: &[u8]) -> [u8; 32] {
    Sha256::new_with_prefix(b"portal-mpc/v1/hold")
        .chain_update(pair.as_bytes())
        .chain_update(commitments.to_bytes())
        .chain_update(statement)
        .finalize()
        .into()
}
