//! Private keys that were ejected, and the public keys that they have: computed without our crates.

use curve25519_dalek::{EdwardsPoint, Scalar};

/// The public key of a private key on secp256k1, in hex.
#[must_use]
pub fn secp256k1_public_key(private: &str) -> Vec<u8> {
    let bytes = base16ct::lower::decode_vec(private).expect("it is hex");
    let key = k256::SecretKey::from_slice(&bytes).expect("it is a private key");
    key.public_key().to_sec1_bytes().to_vec()
}

/// The public key of a scalar on Ed25519, in base58.
#[must_use]
pub fn ed25519_public_key(private: &str) -> Vec<u8> {
    let bytes = bs58::decode(private).into_vec().expect("it is base58");
    let bytes: [u8; 32] = bytes.try_into().expect("it has 32 bytes");
    let scalar = Option::<Scalar>::from(Scalar::from_canonical_bytes(bytes));
    EdwardsPoint::mul_base(&scalar.expect("it is a scalar")).compress().as_bytes().to_vec()
}
