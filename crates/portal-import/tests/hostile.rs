//! Blobs and shares that somebody made or changed: nothing panics, and nothing false comes out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use aes_gcm::{Aes256Gcm, KeyInit, Nonce, aead::AeadInOut};
use portal_import::{
    ImportError, OnCurve, PortalCustodianShare, PortalKey, PrivateKey, open_with_key, read_shares,
};
use proptest::prelude::*;
use serde_json::Value;

const VECTOR: &str = include_str!("vectors/opens/swift.json");

/// A blob, its key and what is in it.
struct Sample {
    blob: String,
    key: String,
    plaintext: String,
    custodian: String,
    private_key: String,
}

fn sample() -> Sample {
    let vector: Value = serde_json::from_str(VECTOR).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (blob, key) = (text(&vector["cipher_text"]), text(&vector["key"]));
    Sample {
        plaintext: decrypted(&blob, &key),
        custodian: text(&vector["custodian"]["SECP256K1"]),
        private_key: text(&vector["private_keys"]["SECP256K1"]),
        blob,
        key,
    }
}

fn decrypted(blob: &str, key: &str) -> String {
    let unhex = |hex| base16ct::lower::decode_vec(hex).unwrap();
    let (blob, key) = (unhex(blob), unhex(key));
    let (nonce, rest) = blob.split_first_chunk::<12>().unwrap();
    let (ciphertext, tag) = rest.split_last_chunk::<16>().unwrap();
    let mut text = ciphertext.to_vec();
    let cipher = Aes256Gcm::new_from_slice(&key).unwrap();
    cipher
        .decrypt_inout_detached(
            &Nonce::from(*nonce),
            &[],
            text.as_mut_slice().into(),
            &(*tag).into(),
        )
        .unwrap();
    String::from_utf8(text).unwrap()
}

/// The key of the wallet on secp256k1, if both texts are taken.
fn ejected(plaintext: &str, custodian: &str) -> Result<Option<PrivateKey>, ImportError> {
    let Some(share) = read_shares(plaintext)?.secp256k1 else { return Ok(None) };
    share.eject(&PortalCustodianShare::from_json(custodian)?).map(Some)
}

/// The text with another character at a place, or with one less.
fn changed(text: &str, place: usize, by: Option<char>) -> String {
    let mut chars: Vec<_> = text.chars().collect();
    let place = place % chars.len();
    chars.splice(place..=place, by);
    chars.into_iter().collect()
}

fn any_change() -> impl Strategy<Value = (usize, Option<char>)> {
    let by = prop_oneof![
        prop::char::range('0', '9').prop_map(Some),
        prop::sample::select(vec!['"', '\\', '{', '}', '[', ':', ',', '-', 'e', '.', ' ', 'u'])
            .prop_map(Some),
        any::<char>().prop_map(Some),
        Just(None),
    ];
    (any::<usize>(), by)
}

/// Objects with the right names, and now and then well-formed.
const FIELDS: &str = r#"\{("(share|bks|pubkey|data)":["{\[0-9]{0,9},?){0,4}\}"#;

proptest! {
    #[test]
    fn no_text_makes_a_panic(text: String, fields in FIELDS) {
        for text in [text, fields] {
            prop_assert!(read_shares(&text).is_err());
            prop_assert!(PortalCustodianShare::from_json(&text).is_err());
            prop_assert!(PortalKey::from_hex(&text).is_err());
            let key = PortalKey::from_hex(&"0".repeat(64)).unwrap();
            prop_assert!(open_with_key(&text, &key).is_err());
        }
    }

    #[test]
    fn no_bytes_open_as_a_blob(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let key = PortalKey::from_hex(&"0".repeat(64)).unwrap();
        let expected =
            if bytes.len() < 28 { ImportError::TooShort } else { ImportError::WrongKey };
        let blob = base16ct::lower::encode_string(&bytes);
        prop_assert_eq!(open_with_key(&blob, &key).unwrap_err(), expected);
    }

    #[test]
    fn a_blob_with_any_bit_flipped_does_not_open(bit: prop::sample::Index) {
        let Sample { blob, key, .. } = sample();
        let mut bytes = base16ct::lower::decode_vec(&blob).unwrap();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let blob = base16ct::lower::encode_string(&bytes);
        let refused = open_with_key(&blob, &PortalKey::from_hex(&key).unwrap());
        prop_assert_eq!(refused.unwrap_err(), ImportError::WrongKey);
    }

    #[test]
    fn a_changed_share_is_refused_or_gives_the_same_key((place, by) in any_change()) {
        let Sample { plaintext, custodian, private_key, .. } = sample();
        if let Ok(Some(key)) = ejected(&changed(&plaintext, place, by), &custodian) {
            prop_assert_eq!(key.expose(), private_key);
        }
    }

    #[test]
    fn a_changed_custodian_share_is_refused_or_gives_the_same_key((place, by) in any_change()) {
        let Sample { plaintext, custodian, private_key, .. } = sample();
        if let Ok(Some(key)) = ejected(&plaintext, &changed(&custodian, place, by)) {
            prop_assert_eq!(key.expose(), private_key);
        }
    }
}

#[test]
fn secrets_are_in_no_debug_output() {
    let Sample { blob, key, plaintext, custodian, .. } = sample();
    let parsed: Value = serde_json::from_str(&custodian).unwrap();
    let secret = parsed["share"].as_str().unwrap();
    let share = read_shares(&plaintext).unwrap();
    let custodian = PortalCustodianShare::from_json(&custodian).unwrap();
    let key = PortalKey::from_hex(&key).unwrap();
    assert!(open_with_key(&blob, &key).is_ok());
    let printed = format!("{share:?} {custodian:?} {key:?}");
    assert!(printed.contains("PortalKey([REDACTED])"), "{printed}");
    assert!(!printed.contains(secret) && !printed.contains("secret"), "{printed}");
}

#[test]
fn a_share_is_in_the_place_of_its_curve() {
    let shares = read_shares(&sample().plaintext).unwrap();
    let curves: Vec<_> = shares.iter().collect();
    assert_eq!(curves.len(), 2);
    assert!(curves.iter().all(|(curve, share)| share.curve() == *curve));
}

#[test]
fn what_is_over_a_mebibyte_is_refused_before_anything_is_computed() {
    let (hex, json) = ("0".repeat((1 << 20) + 2), format!("{{{}}}", " ".repeat(1 << 20)));
    let refused = Some(ImportError::TooLong { limit: 1 << 20 });
    let key = PortalKey::from_hex(&"0".repeat(64)).unwrap();
    assert_eq!(open_with_key(&hex, &key).err(), refused);
    assert_eq!(portal_import::open_with_password(&hex, &"0000".into()).err(), refused);
    assert_eq!(read_shares(&json).err(), refused);
    assert_eq!(PortalCustodianShare::from_json(&json).err(), refused);
}

#[test]
fn every_error_says_what_to_do_in_one_line() {
    for error in [ImportError::WrongKey, ImportError::OtherWallet, ImportError::NotABlob] {
        let text = error.to_string();
        assert!(text.contains(": ") && !text.contains('\n') && !text.contains("  "), "{text}");
    }
}
