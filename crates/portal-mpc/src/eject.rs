//! Eject: the private key out of both halves of a backup. The only module of this crate that may
//! bring a whole key together; it runs on the client.

use std::fmt;

use backup_core::Curve;
use curve25519_dalek::{EdwardsPoint, Scalar as EdScalar};
use frost_ed25519::keys::reconstruct;
use k256::elliptic_curve::PrimeField;
use k256::{NonZeroScalar, PublicKey as EcPublicKey, Scalar};
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::by_curve::OnCurve;
use crate::public_key::PublicKey;
use crate::role::{Client, Server};
use crate::share::{BackupSecret, BackupShare};
use crate::{ed25519, secp256k1};

/// A private key, in the text form in which Portal ejects it.
///
/// For secp256k1: 32 bytes, big-endian, in lower-case hex. For Ed25519: the scalar, 32 bytes,
/// little-endian, in base58. The latter is neither a seed nor a Solana key pair: a wallet that
/// takes it for one shows another address.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct PrivateKey(String);

/// Why a private key is not given out.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum EjectError {
    /// The shares are halves of different pairs.
    #[error("the shares are halves of different pairs")]
    PairMismatch,
    /// What the shares add up to is not the wallet's key.
    #[error("the shares do not add up to the wallet's key")]
    WrongKey,
}

/// The private key of a wallet, out of both halves of a backup pair.
///
/// From then on the wallet is no longer protected by two parties.
///
/// # Errors
///
/// [`EjectError`] if the halves are not of one pair of one wallet.
pub fn eject(
    client: &BackupShare<Client>,
    custodian: &BackupShare<Server>,
) -> Result<PrivateKey, EjectError> {
    if client.pair() != custodian.pair() {
        return Err(EjectError::PairMismatch);
    }
    if client.public_key() != custodian.public_key() {
        return Err(EjectError::WrongKey);
    }
    let scalar = match (client.secret(), custodian.secret()) {
        (BackupSecret::Secp256k1(client), BackupSecret::Secp256k1(custodian)) => {
            whole_secp256k1(client, custodian)
        }
        (BackupSecret::Ed25519(client), BackupSecret::Ed25519(custodian)) => {
            whole_ed25519(client, custodian)?
        }
        _ => return Err(EjectError::PairMismatch),
    };
    PrivateKey::from_scalar(&scalar, &client.public_key())
}

impl PrivateKey {
    /// The key with this scalar, if it is the wallet's: for one that another protocol's shares
    /// add up to. The scalar is big-endian for secp256k1, little-endian for Ed25519.
    ///
    /// # Errors
    ///
    /// [`EjectError::WrongKey`] if the scalar is not below the curve's order, or its public key is
    /// another one.
    pub fn from_scalar(scalar: &[u8; 32], public_key: &PublicKey) -> Result<Self, EjectError> {
        let own = match public_key.curve() {
            Curve::Secp256k1 => secp256k1_public_key(scalar),
            Curve::Ed25519 => ed25519_public_key(scalar),
            _ => None,
        };
        if own != Some(*public_key) {
            return Err(EjectError::WrongKey);
        }
        Ok(Self(match public_key.curve() {
            Curve::Ed25519 => bs58::encode(scalar).into_string(),
            _ => base16ct::lower::encode_string(scalar),
        }))
    }

    /// The text form.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl ConstantTimeEq for PrivateKey {
    fn ct_eq(&self, other: &Self) -> subtle::Choice {
        self.0.as_bytes().ct_eq(other.0.as_bytes())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(<redacted>)")
    }
}

/// The line through the points at 1 and 2 has at 0 twice the first less the second.
fn whole_secp256k1(client: &secp256k1::Half, custodian: &secp256k1::Half) -> Zeroizing<[u8; 32]> {
    let key = Zeroizing::new(client.scalar + client.scalar - custodian.scalar);
    Zeroizing::new(Scalar::to_repr(&key).into())
}

#[expect(clippy::disallowed_methods, reason = "ejecting is bringing the key together")]
fn whole_ed25519(
    client: &ed25519::Half,
    custodian: &ed25519::Half,
) -> Result<Zeroizing<[u8; 32]>, EjectError> {
    let packages = [client.key.clone(), custodian.key.clone()];
    let key = reconstruct(&packages).map_err(|_| EjectError::WrongKey)?;
    let bytes = Zeroizing::new(key.serialize());
    let bytes: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| EjectError::WrongKey)?;
    Ok(Zeroizing::new(*bytes))
}

fn secp256k1_public_key(scalar: &[u8; 32]) -> Option<PublicKey> {
    let scalar: Zeroizing<Option<Scalar>> =
        Zeroizing::new(Scalar::from_repr((*scalar).into()).into());
    let secret: Option<NonZeroScalar> = NonZeroScalar::new((*scalar)?).into();
    let secret = Zeroizing::new(secret?);
    let point = EcPublicKey::from_secret_scalar(&secret);
    Some(PublicKey::from_secp256k1(*point.as_affine()))
}

fn ed25519_public_key(scalar: &[u8; 32]) -> Option<PublicKey> {
    let scalar: Option<EdScalar> = EdScalar::from_canonical_bytes(*scalar).into();
    let scalar = Zeroizing::new(scalar?);
    Some(PublicKey::from_ed25519(EdwardsPoint::mul_base(&scalar)))
}
