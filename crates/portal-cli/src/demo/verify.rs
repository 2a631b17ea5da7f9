//! Verifies signatures with nothing but the address, and with none of the wallet's own code.

use ed25519_dalek::{Signature as Ed25519Signature, VerifyingKey as Ed25519Key};
use k256::ecdsa::{RecoveryId, Signature as EcdsaSignature, VerifyingKey as EcdsaKey};
use sha3::{Digest, Keccak256};

/// Whether the signature over `digest` (r, s, recovery id) is of the key of an Ethereum address.
pub(super) fn is_of_ethereum(address: &str, digest: &[u8; 32], signature: &[u8]) -> bool {
    let signer = signer_of(digest, signature);
    signer.is_some_and(|signer| signer.eq_ignore_ascii_case(address))
}

/// Whether the signature over `message` is of the key that a Solana address is.
pub(super) fn is_of_solana(address: &str, message: &[u8], signature: &[u8]) -> bool {
    solana_key(address)
        .zip(Ed25519Signature::from_slice(signature).ok())
        .is_some_and(|(key, signature)| key.verify_strict(message, &signature).is_ok())
}

/// The address whose key made this signature, as a smart contract finds it out.
fn signer_of(digest: &[u8; 32], signature: &[u8]) -> Option<String> {
    let (recovery_id, signature) = signature.split_last()?;
    let recovery_id = RecoveryId::from_byte(*recovery_id)?;
    let signature = EcdsaSignature::from_slice(signature).ok()?;
    let key = EcdsaKey::recover_from_prehash(digest, &signature, recovery_id).ok()?;
    let point = key.to_sec1_point(false);
    let hash = Keccak256::digest(point.as_bytes().get(1..)?);
    Some(format!("0x{}", base16ct::lower::encode_string(&hash[12..])))
}

fn solana_key(address: &str) -> Option<Ed25519Key> {
    let bytes = bs58::decode(address).into_vec().ok()?;
    Ed25519Key::from_bytes(&bytes.try_into().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of https://eips.ethereum.org/EIPS/eip-155#example is a transaction: its key's
    // address, signing hash and signature are these, with v = 37 for chain 1 and recovery id 0.
    const ADDRESS: &str = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";
    const DIGEST: &str = "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53";
    const SIGNATURE: &str = "\
        28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276\
        67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d8300";

    // RFC 8032, section 7.1, test 2; the address is the public key in base58.
    const SOLANA_KEY: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    const SOLANA_MESSAGE: &[u8] = &[0x72];
    const SOLANA_SIGNATURE: &str = "\
        92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
        085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

    #[test]
    fn a_published_signature_on_ethereum_is_of_its_address_and_no_other() {
        let (digest, signature) = (bytes(DIGEST).try_into().unwrap(), bytes(SIGNATURE));
        assert!(is_of_ethereum(ADDRESS, &digest, &signature));
        assert!(!is_of_ethereum(&ADDRESS.replace('4', "5"), &digest, &signature));
        assert!(!is_of_ethereum(ADDRESS, &[7; 32], &signature));
        assert!(!is_of_ethereum(ADDRESS, &digest, &signature[..64]));
    }

    #[test]
    fn a_published_signature_on_ed25519_is_of_its_address_and_no_other() {
        let address = bs58::encode(bytes(SOLANA_KEY)).into_string();
        let signature = bytes(SOLANA_SIGNATURE);
        assert!(is_of_solana(&address, SOLANA_MESSAGE, &signature));
        assert!(!is_of_solana(&address, b"another", &signature));
        assert!(!is_of_solana(ADDRESS, SOLANA_MESSAGE, &signature));
        assert!(!is_of_solana(&address, SOLANA_MESSAGE, &signature[..63]));
    }

    fn bytes(hex: &str) -> Vec<u8> {
        base16ct::lower::decode_vec(hex).unwrap()
    }
}
