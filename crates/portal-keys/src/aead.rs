//! Encryption that commits to its key and to every bound fact.
//!
//! AES-GCM alone does not commit to its key: one ciphertext can be made that opens under two. So
//! HKDF derives, beside the cipher key, a commitment that is compared before anything is decrypted;
//! HKDF with SHA-256 is collision resistant, hence a ciphertext opens under one key and one set of
//! facts (Bellare and Hoang, "Efficient Schemes for Committing Authenticated Encryption",
//! EUROCRYPT 2022).

use aes_gcm::{Aes256Gcm, KeyInit, Nonce, aead::AeadInOut};
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub(crate) const COMMITMENT_LEN: usize = 32;
pub(crate) const TAG_LEN: usize = 16;

/// Commitment and tag: what a ciphertext is longer than its plaintext.
pub(crate) const OVERHEAD: usize = COMMITMENT_LEN + TAG_LEN;

/// Each pair of key and facts encrypts once, so the nonce need not differ.
const NONCE: [u8; 12] = [0; 12];

/// Why a ciphertext does not open.
#[derive(Debug)]
pub(crate) enum Closed {
    /// The key or a fact is another one, or the commitment was tampered with.
    Uncommitted,
    /// Key and facts are those it was made with; the rest was tampered with.
    Tampered,
}

/// Encrypts `plaintext` into `commitment ‖ ciphertext ‖ tag`.
///
/// `key` has 32 bytes of entropy, and the pair of `key` and `facts` is fresh.
pub(crate) fn seal(key: &[u8; 32], facts: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let derived = Derived::from(key, facts);
    let mut sealed = Zeroizing::new(Vec::with_capacity(plaintext.len() + OVERHEAD));
    sealed.extend_from_slice(&derived.commitment);
    sealed.extend_from_slice(plaintext);
    let tag = derived
        .cipher()
        .encrypt_inout_detached(&Nonce::from(NONCE), &[], (&mut sealed[COMMITMENT_LEN..]).into())
        .expect("every caller bounds the length far below AES-GCM's limit");
    sealed.extend_from_slice(&tag);
    std::mem::take(&mut *sealed)
}

/// Decrypts what [`seal`] made into `plaintext`, whose length is the one that was sealed.
pub(crate) fn open(
    key: &[u8; 32],
    facts: &[u8],
    sealed: &[u8],
    plaintext: &mut [u8],
) -> Result<(), Closed> {
    let (commitment, rest) = sealed.split_at_checked(COMMITMENT_LEN).ok_or(Closed::Uncommitted)?;
    let derived = Derived::from(key, facts);
    if !bool::from(derived.commitment.ct_eq(commitment)) {
        return Err(Closed::Uncommitted);
    }
    let (ciphertext, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(Closed::Tampered)?;
    if ciphertext.len() != plaintext.len() {
        return Err(Closed::Tampered);
    }
    plaintext.copy_from_slice(ciphertext);
    derived
        .cipher()
        .decrypt_inout_detached(&Nonce::from(NONCE), &[], plaintext.into(), &(*tag).into())
        .map_err(|_| Closed::Tampered)
}

/// HKDF of `key` without a salt, to be told apart by `info` alone.
pub(crate) fn derive(key: &[u8; 32], info: &[u8], output: &mut [u8]) {
    Hkdf::<Sha256>::new(None, key)
        .expand(info, output)
        .expect("every caller asks for fewer bytes than HKDF's limit");
}

struct Derived {
    key: Zeroizing<[u8; 32]>,
    commitment: [u8; COMMITMENT_LEN],
}

impl Derived {
    fn from(key: &[u8; 32], facts: &[u8]) -> Self {
        let mut output = Zeroizing::new([0; 64]);
        derive(key, facts, output.as_mut_slice());
        let mut derived = Self { key: Zeroizing::new([0; 32]), commitment: [0; COMMITMENT_LEN] };
        derived.key.copy_from_slice(&output[..32]);
        derived.commitment.copy_from_slice(&output[32..]);
        derived
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.key).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(key: u8, facts: &[u8], sealed: &[u8]) -> Result<[u8; 5], Closed> {
        let mut plaintext = [0; 5];
        open(&[key; 32], facts, sealed, &mut plaintext).map(|()| plaintext)
    }

    #[test]
    fn what_was_sealed_opens_under_its_key_and_facts_only() {
        let sealed = seal(&[1; 32], b"facts", b"share");
        assert_eq!(&opened(1, b"facts", &sealed).unwrap(), b"share");
        assert!(matches!(opened(2, b"facts", &sealed), Err(Closed::Uncommitted)));
        assert!(matches!(opened(1, b"facte", &sealed), Err(Closed::Uncommitted)));
    }

    #[test]
    fn every_flipped_bit_and_every_other_length_is_noticed() {
        let sealed = seal(&[1; 32], b"facts", b"share");
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(opened(1, b"facts", &flipped).is_err(), "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert!(opened(1, b"facts", &sealed[..len]).is_err(), "{len} bytes");
        }
        assert!(opened(1, b"facts", &[&sealed[..], &[0]].concat()).is_err());
    }

    /// A forger who owns both keys can choose everything but the commitment.
    #[test]
    fn a_ciphertext_cannot_be_grafted_onto_another_key() {
        let (one, other) = (seal(&[1; 32], b"f", b"share"), seal(&[2; 32], b"f", b"share"));
        let grafted = [&other[..COMMITMENT_LEN], &one[COMMITMENT_LEN..]].concat();
        assert!(matches!(opened(1, b"f", &grafted), Err(Closed::Uncommitted)));
        assert!(matches!(opened(2, b"f", &grafted), Err(Closed::Tampered)));
    }
}
