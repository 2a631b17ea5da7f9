//! Eject: the private key out of both halves of a backup. The only module that may bring a whole
//! key together; it runs on the client.

use std::fmt;

use frost_ed25519::keys::reconstruct;
use k256::elliptic_curve::PrimeField;
use k256::{NonZeroScalar, PublicKey as EcPublicKey, Scalar};
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

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
    match (client.secret(), custodian.secret()) {
        (BackupSecret::Secp256k1(client), BackupSecret::Secp256k1(custodian)) => {
            eject_secp256k1(client, custodian)
        }
        (BackupSecret::Ed25519(client), BackupSecret::Ed25519(custodian)) => {
            eject_ed25519(client, custodian)
        }
        _ => Err(EjectError::PairMismatch),
    }
}

impl PrivateKey {
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
fn eject_secp256k1(
    client: &secp256k1::Half,
    custodian: &secp256k1::Half,
) -> Result<PrivateKey, EjectError> {
    let key = Zeroizing::new(client.scalar + client.scalar - custodian.scalar);
    let secret: Option<NonZeroScalar> = NonZeroScalar::new(*key).into();
    let secret = Zeroizing::new(secret.ok_or(EjectError::WrongKey)?);
    if EcPublicKey::from_secret_scalar(&secret).as_affine() != &client.public_key {
        return Err(EjectError::WrongKey);
    }
    let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(Scalar::to_repr(&key).into());
    Ok(PrivateKey(base16ct::lower::encode_string(bytes.as_slice())))
}

#[expect(clippy::disallowed_methods, reason = "ejecting is bringing the key together")]
fn eject_ed25519(
    client: &ed25519::Half,
    custodian: &ed25519::Half,
) -> Result<PrivateKey, EjectError> {
    let packages = [client.key.clone(), custodian.key.clone()];
    let key = reconstruct(&packages).map_err(|_| EjectError::WrongKey)?;
    if frost_ed25519::VerifyingKey::from(&key) != *client.public.verifying_key() {
        return Err(EjectError::WrongKey);
    }
    let bytes = Zeroizing::new(key.serialize());
    Ok(PrivateKey(bs58::encode(bytes.as_slice()).into_string()))
}
