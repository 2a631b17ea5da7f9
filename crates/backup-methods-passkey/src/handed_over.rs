//! What a page hands over to a program on the same computer: HPKE (RFC 9180) in base mode with
//! X25519, HKDF-SHA256 and AES-128-GCM, for which the RFC has vectors (appendix A.1).
//!
//! The page's side is `enclave/page/hpke.js`.

use backup_core::{Error, ErrorKind, Result, secrecy::SecretSlice};
use hpke::{
    Deserializable, Kem as _, OpModeR, Serializable, aead::AesGcm128, kdf::HkdfSha256,
    kem::X25519HkdfSha256, single_shot_open,
};
use zeroize::Zeroizing;

use crate::base64url;

type Kem = X25519HkdfSha256;

/// A key that is made for one ceremony and never leaves memory.
pub(crate) struct HandOverKey {
    private: <Kem as hpke::Kem>::PrivateKey,
    public: [u8; 32],
}

impl HandOverKey {
    /// A fresh key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if the operating system has no randomness.
    pub(crate) fn generate() -> Result<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).map_err(|error| {
            Error::new(ErrorKind::Unavailable, "the operating system has no randomness to give")
                .with_source(error)
        })?;
        let (private, public) = Kem::derive_keypair(&*seed);
        Ok(Self { private, public: public.to_bytes().into() })
    }

    /// Its public side, for the page.
    pub(crate) fn recipient(&self) -> [u8; 32] {
        self.public
    }

    /// Opens what a page has sealed for this key: of this kind of ceremony, with this state.
    pub(crate) fn open(&self, kind: &str, state: &str, sealed: &str) -> Option<SecretSlice<u8>> {
        let bytes = base64url::decode(sealed)?;
        let (encapsulated, ciphertext) = bytes.split_at_checked(32)?;
        let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        let opened = single_shot_open::<AesGcm128, HkdfSha256, Kem>(
            &OpModeR::Base,
            &self.private,
            &encapsulated,
            info(kind, state).as_bytes(),
            ciphertext,
            &[],
        );
        opened.ok().map(SecretSlice::from)
    }
}

fn info(kind: &str, state: &str) -> String {
    format!("portal-backup/1 ceremony\n{kind}\n{state}")
}

#[cfg(test)]
mod tests {
    use backup_core::secrecy::ExposeSecret;
    use hpke::{OpModeS, single_shot_seal};

    use super::*;

    fn seal(recipient: &[u8; 32], info: &str, answer: &[u8]) -> String {
        let public = <Kem as hpke::Kem>::PublicKey::from_bytes(recipient).unwrap();
        let (encapsulated, ciphertext) = single_shot_seal::<AesGcm128, HkdfSha256, Kem>(
            &OpModeS::Base,
            &public,
            info.as_bytes(),
            answer,
            &[],
        )
        .unwrap();
        base64url::encode(&[&encapsulated.to_bytes()[..], &ciphertext].concat())
    }

    #[test]
    fn only_what_was_sealed_for_this_ceremony_opens() {
        let (key, other) = (HandOverKey::generate().unwrap(), HandOverKey::generate().unwrap());
        let sealed = seal(&key.recipient(), &info("get", "state"), b"{}");
        assert_eq!(key.open("get", "state", &sealed).unwrap().expose_secret(), b"{}");
        assert!(key.open("create", "state", &sealed).is_none());
        assert!(key.open("get", "another", &sealed).is_none());
        assert!(other.open("get", "state", &sealed).is_none());
        for cut in [0, 1, 42, 43, 60, sealed.len() - 1] {
            assert!(key.open("get", "state", &sealed[..cut]).is_none(), "{cut}");
        }
    }
}
