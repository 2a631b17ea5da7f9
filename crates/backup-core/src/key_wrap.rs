//! 32 bytes wrapped under a 32-byte key, committed to the key and to every bound fact.
//!
//! AES-GCM alone does not commit to its key: one ciphertext can be made that opens under two. So
//! HKDF derives, beside the cipher key, a commitment that is compared before anything is decrypted;
//! HKDF with SHA-256 is collision resistant, hence a wrap opens under one key and one set of facts.
//! The construction is that of "HtE"/committing encryption by a key-derived check value (Bellare
//! and Hoang, "Efficient Schemes for Committing Authenticated Encryption", EUROCRYPT 2022).

use aes_gcm::{Aes256Gcm, KeyInit, aead::AeadInOut};
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    Error, ErrorKind, Result,
    codec::{Reader, Writer},
    secret::random_bytes,
};

/// A wrapped secret. All of it may be public.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KeyWrap {
    commitment: [u8; 32],
    nonce: [u8; 12],
    ciphertext: [u8; 32],
    tag: [u8; 16],
}

impl KeyWrap {
    /// Its encoded length, in bytes.
    pub(crate) const LEN: usize = 32 + 12 + 32 + 16;

    /// Wraps `secret` under `key` for `facts`. `key` has at least 32 bytes of entropy.
    pub(crate) fn seal(key: &[u8], facts: &[u8], secret: &[u8; 32]) -> Result<Self> {
        let derived = Derived::from(key, facts);
        let nonce = random_bytes()?;
        let mut ciphertext = Zeroizing::new(*secret);
        let tag = derived
            .cipher()
            .encrypt_inout_detached(&nonce.into(), &[], ciphertext.as_mut_slice().into())
            .expect("32 bytes are within AES-GCM's limit");
        Ok(Self { commitment: derived.commitment, nonce, ciphertext: *ciphertext, tag: tag.into() })
    }

    /// Writes what was wrapped into `secret`.
    ///
    /// A wrong key, wrong facts and tampering are one error.
    pub(crate) fn open(&self, key: &[u8], facts: &[u8], secret: &mut [u8; 32]) -> Result<()> {
        let derived = Derived::from(key, facts);
        if !bool::from(derived.commitment.ct_eq(&self.commitment)) {
            return Err(does_not_open());
        }
        *secret = self.ciphertext;
        derived
            .cipher()
            .decrypt_inout_detached(
                &self.nonce.into(),
                &[],
                secret.as_mut_slice().into(),
                &self.tag.into(),
            )
            .map_err(|_| does_not_open())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.fixed(&self.commitment).fixed(&self.nonce).fixed(&self.ciphertext).fixed(&self.tag);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            commitment: *reader.array()?,
            nonce: *reader.array()?,
            ciphertext: *reader.array()?,
            tag: *reader.array()?,
        })
    }
}

fn does_not_open() -> Error {
    Error::new(
        ErrorKind::Unauthorized,
        "this does not open the backup; try another secret or account",
    )
}

/// What HKDF makes of a key and the bound facts.
struct Derived {
    key: Zeroizing<[u8; 32]>,
    commitment: [u8; 32],
}

impl Derived {
    fn from(key: &[u8], facts: &[u8]) -> Self {
        let mut okm = Zeroizing::new([0; 64]);
        Hkdf::<Sha256>::new(None, key)
            .expand(facts, okm.as_mut_slice())
            .expect("64 bytes are within HKDF's limit");
        let mut derived = Self { key: Zeroizing::new([0; 32]), commitment: [0; 32] };
        derived.key.copy_from_slice(&okm[..32]);
        derived.commitment.copy_from_slice(&okm[32..]);
        derived
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.key).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(wrap: &KeyWrap, key: &[u8], facts: &[u8]) -> Result<[u8; 32]> {
        let mut secret = [0; 32];
        wrap.open(key, facts, &mut secret).map(|()| secret)
    }

    #[test]
    fn a_wrap_opens_under_its_key_and_facts_only() {
        let wrap = KeyWrap::seal(&[1; 32], b"facts", &[7; 32]).unwrap();
        assert_eq!(open(&wrap, &[1; 32], b"facts").unwrap(), [7; 32]);
        for (key, facts) in [([2; 32], b"facts"), ([1; 32], b"facte")] {
            assert_eq!(open(&wrap, &key, facts).unwrap_err().kind(), ErrorKind::Unauthorized);
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let wrap = KeyWrap::seal(&[1; 32], b"facts", &[7; 32]).unwrap();
        let mut writer = Writer::default();
        wrap.write(&mut writer);
        let bytes = writer.finish();
        assert_eq!(bytes.len(), KeyWrap::LEN);
        for i in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[i / 8] ^= 1 << (i % 8);
            let wrap = KeyWrap::read(&mut Reader::new(&bytes, "")).unwrap();
            let error = open(&wrap, &[1; 32], b"facts").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "bit {i}");
        }
    }

    /// A forger who owns both keys can choose everything but the commitment.
    #[test]
    fn a_wrap_cannot_be_grafted_onto_another_key() {
        let wrap = KeyWrap::seal(&[1; 32], b"facts", &[7; 32]).unwrap();
        let other = KeyWrap::seal(&[2; 32], b"facts", &[7; 32]).unwrap();
        let grafted = KeyWrap { commitment: other.commitment, ..wrap };
        assert!(open(&grafted, &[1; 32], b"facts").is_err());
        assert!(open(&grafted, &[2; 32], b"facts").is_err());
    }

    #[test]
    fn wrapping_twice_gives_two_nonces() {
        let wrap = || KeyWrap::seal(&[1; 32], b"facts", &[7; 32]).unwrap();
        assert_ne!(wrap().nonce, wrap().nonce);
    }
}
