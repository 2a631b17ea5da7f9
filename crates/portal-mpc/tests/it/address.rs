//! Addresses, against published vectors.

use backup_core::Curve;
use portal_mpc::{FormatError, Namespace, PublicKey};

/// The public key of a small secret on secp256k1.
fn secp256k1(secret: &[u8; 32]) -> PublicKey {
    let secret = k256_old::SecretKey::from_slice(secret).unwrap();
    PublicKey::from_bytes(Curve::Secp256k1, &secret.public_key().to_sec1_bytes()).unwrap()
}

fn hex(text: &str) -> [u8; 32] {
    base16ct::lower::decode_vec(text).unwrap().try_into().unwrap()
}

/// The secret key 1, whose point is the generator.
fn generator() -> PublicKey {
    let mut one = [0; 32];
    one[31] = 1;
    secp256k1(&one)
}

#[test]
fn eip155() {
    let address = generator().address(Namespace::Eip155).unwrap();
    assert_eq!(address, "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
    // The account of web3.js' documentation.
    let key = hex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318");
    let address = secp256k1(&key).address(Namespace::Eip155).unwrap();
    assert_eq!(address, "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23");
}

/// BIP 173, examples: P2WPKH of the generator, on both networks.
#[test]
fn bip122_p2wpkh() {
    let address = generator().address(Namespace::Bip122Mainnet).unwrap();
    assert_eq!(address, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
    let address = generator().address(Namespace::Bip122Testnet).unwrap();
    assert_eq!(address, "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx");
}

/// The EVM address of the secret key 1 under Tron's prefix.
#[test]
fn tron() {
    let address = generator().address(Namespace::Tron).unwrap();
    assert_eq!(address, "TMVQGm1qAQYVdetCeGRRkTWYYrLXuHK2HC");
}

/// RFC 8032, test 1, in base58.
#[test]
fn solana() {
    let key = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let key = PublicKey::from_bytes(Curve::Ed25519, &key).unwrap();
    let address = key.address(Namespace::Solana).unwrap();
    assert_eq!(address, "FVen3X669xLzsi6N2V91DoiyzHzg1uAgqiT8jZ9nS96Z");
}

/// SEP 23, its first valid test case.
#[test]
fn stellar() {
    let key = hex("3f0c34bf93ad0d9971d04ccc90f705511c838aad9734a4a2fb0d7a03fc7fe89a");
    let key = PublicKey::from_bytes(Curve::Ed25519, &key).unwrap();
    let address = key.address(Namespace::Stellar).unwrap();
    assert_eq!(address, "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ");
}

#[test]
fn a_key_has_no_address_on_the_other_curve() {
    assert_eq!(generator().address(Namespace::Solana), None);
    assert_eq!(generator().address(Namespace::Stellar), None);
}

#[test]
fn what_is_no_point_of_the_group_is_no_public_key() {
    let refuse = |curve, bytes: &[u8]| {
        assert_eq!(PublicKey::from_bytes(curve, bytes), Err(FormatError::Malformed));
    };
    refuse(Curve::Secp256k1, &[0]);
    refuse(Curve::Secp256k1, &[0; 33]);
    refuse(Curve::Secp256k1, &[4; 65]);
    let mut identity = [0; 32];
    identity[0] = 1;
    refuse(Curve::Ed25519, &identity);
    refuse(Curve::Ed25519, &[0; 32]);
    refuse(
        Curve::Ed25519,
        &hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    );
    refuse(Curve::Ed25519, generator().as_bytes());
}
