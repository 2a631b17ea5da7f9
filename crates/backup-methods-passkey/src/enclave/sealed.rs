//! Keys at rest: each sealed for each passkey that may have it.
//!
//! The context names client, key and passkey, and the public key that verifies the passkey: whoever
//! writes to the storage, and cannot use the provider's key, has no key released to a passkey of
//! his own.

use backup_core::{DataKey, EncryptionContext, EncryptionKey, KeyContext, KeyEncryption, Result};
use sha2::{Digest, Sha256};
use webauthn_rs::prelude::{COSEKey, COSEKeyType, ECDSACurve, EDDSACurve};

use super::{KeyId, account::Known};
use crate::{CredentialId, base64url, derive::facts};

pub(super) async fn seal(
    provider: &dyn KeyEncryption,
    client: &EncryptionContext,
    id: &KeyId,
    passkey: &Known,
    key: &EncryptionKey,
) -> Result<Vec<u8>> {
    let key = DataKey::copied_from(key.expose());
    provider.wrap(&key, &context(client, id, passkey)).await
}

pub(super) async fn open(
    provider: &dyn KeyEncryption,
    client: &EncryptionContext,
    id: &KeyId,
    passkey: &Known,
    sealed: &[u8],
) -> Result<EncryptionKey> {
    let key = provider.unwrap(sealed, &context(client, id, passkey)).await?;
    Ok(EncryptionKey::copied_from(key.expose()))
}

fn context(client: &EncryptionContext, id: &KeyId, passkey: &Known) -> KeyContext {
    KeyContext::new()
        .with("client", client.client.as_str())
        .with("custodian", client.custodian.as_str())
        .with("key", id.as_str())
        .with("passkey", holder(passkey))
        .with("role", "passkey-enclave")
}

pub(super) fn holder(passkey: &Known) -> String {
    fingerprint(&passkey.id, passkey.passkey.get_public_key())
}

/// SHA-256 of id and public key: an id alone may be 1023 bytes, more than a KMS takes.
fn fingerprint(id: &CredentialId, public_key: &COSEKey) -> String {
    let public_key = numbers(public_key);
    let parts: Vec<&[u8]> =
        [id.as_bytes()].into_iter().chain(public_key.iter().map(Vec::as_slice)).collect();
    base64url::encode(&Sha256::digest(facts("portal-backup/1 enclave passkey", &parts)))
}

/// Type and curve by the numbers of the COSE registry (RFC 9053, section 7), then the coordinates
/// or numbers as they came: our own form of it, which no release of a library changes.
fn numbers(key: &COSEKey) -> Vec<Vec<u8>> {
    match &key.key {
        COSEKeyType::EC_OKP(key) => vec![vec![1, okp_curve(&key.curve)], key.x.clone()],
        COSEKeyType::EC_EC2(key) => {
            vec![vec![2, ec2_curve(&key.curve)], key.x.clone(), key.y.clone()]
        }
        COSEKeyType::RSA(key) => vec![vec![3], key.n.clone(), key.e.to_vec()],
    }
}

fn okp_curve(curve: &EDDSACurve) -> u8 {
    match curve {
        EDDSACurve::ED25519 => 6,
        EDDSACurve::ED448 => 7,
    }
}

fn ec2_curve(curve: &ECDSACurve) -> u8 {
    match curve {
        ECDSACurve::SECP256R1 => 1,
        ECDSACurve::SECP384R1 => 2,
        ECDSACurve::SECP521R1 => 3,
    }
}

#[cfg(test)]
mod tests {
    use webauthn_rs::prelude::{COSEAlgorithm, COSEEC2Key, COSEOKPKey, COSERSAKey};

    use super::*;

    /// Computed by Python's `hashlib` from the comments above: what is sealed opens for good.
    #[test]
    fn fingerprints_are_those_of_another_implementation() {
        let id = CredentialId::new((0xa0..=0xaf).collect::<Vec<u8>>()).unwrap();
        let (x, y) = (vec![0x11; 32], vec![0x22; 32]);
        let es256 = COSEKeyType::EC_EC2(COSEEC2Key { curve: ECDSACurve::SECP256R1, x, y });
        let eddsa =
            COSEKeyType::EC_OKP(COSEOKPKey { curve: EDDSACurve::ED25519, x: vec![0x33; 32] });
        let rs256 = COSEKeyType::RSA(COSERSAKey { n: vec![0x44; 256], e: [1, 0, 1] });
        for (type_, key, expected) in [
            (COSEAlgorithm::ES256, es256, "f3fHpM1wM2s46hLWqBM14QapQ7vCQtVlWOzB9NOPcn8"),
            (COSEAlgorithm::EDDSA, eddsa, "XgX1NoKuNe77o2r8klnse9eKWqLl7McL-2Nftlx9Bro"),
            (COSEAlgorithm::RS256, rs256, "ZFu2D1jdlay8u7gM-4QibNlmQQHLOHphbgcEU6MGGzU"),
        ] {
            assert_eq!(fingerprint(&id, &COSEKey { type_, key }), expected);
        }
    }
}
