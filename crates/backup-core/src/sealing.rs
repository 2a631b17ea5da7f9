//! The sealing key: seals shares, cannot open them. HPKE (RFC 9180) in PSK mode.

use hkdf::Hkdf;
use hpke::{
    Deserializable, Kem as _, OpModeR, OpModeS, PskBundle, Serializable, aead::AesGcm256,
    kdf::HkdfSha256, kem::X25519HkdfSha256, single_shot_open, single_shot_seal,
};
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{BackupKey, Error, Result, error::damaged};

type Kem = X25519HkdfSha256;
type PrivateKey = <Kem as hpke::Kem>::PrivateKey;
type PublicKey = <Kem as hpke::Kem>::PublicKey;

const SEED_LABEL: &[u8] = b"portal-backup/1 sealing key";
const PSK_LABEL: &[u8] = b"portal-backup/1 pre-shared key";
const PSK_ID: &[u8] = b"portal-backup/1";

/// Derived from the backup key, kept by the device: it can seal, not open.
///
/// The pre-shared key makes sealing a right of whoever once held the backup key: a server that
/// knows the public key cannot forge an envelope.
#[derive(Debug)]
pub(crate) struct SealingKey {
    public: [u8; 32],
    psk: SecretBox<[u8; 32]>,
}

/// Opens what the sealing key of the same backup key sealed.
pub(crate) struct OpeningKey {
    private: PrivateKey,
    pub(crate) sealing: SealingKey,
}

/// A sealed message: the encapsulated key, then ciphertext and tag.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Sealed {
    pub(crate) encapsulated: [u8; 32],
    pub(crate) ciphertext: Vec<u8>,
}

impl SealingKey {
    pub(crate) fn from_parts(public: [u8; 32], psk: &[u8; 32]) -> Result<Self> {
        PublicKey::from_bytes(&public).map_err(|_| damaged("a sealing key is malformed"))?;
        Ok(Self { public, psk: SecretBox::new(Box::new(*psk)) })
    }

    pub(crate) fn public(&self) -> &[u8; 32] {
        &self.public
    }

    pub(crate) fn psk(&self) -> &[u8; 32] {
        self.psk.expose_secret()
    }

    pub(crate) fn seal(&self, facts: &[u8], plaintext: &[u8]) -> Result<Sealed> {
        let public = PublicKey::from_bytes(&self.public).map_err(sealing_failed)?;
        let mode = OpModeS::Psk(self.psk_bundle());
        let (encapsulated, ciphertext) =
            single_shot_seal::<AesGcm256, HkdfSha256, Kem>(&mode, &public, facts, plaintext, &[])
                .map_err(sealing_failed)?;
        Ok(Sealed { encapsulated: encapsulated.to_bytes().into(), ciphertext })
    }

    fn psk_bundle(&self) -> PskBundle<'_> {
        PskBundle::new(self.psk(), PSK_ID).expect("neither the key nor its id is empty")
    }
}

/// Only a public key of small order does this, and none is derived.
fn sealing_failed(_: hpke::HpkeError) -> Error {
    damaged("the sealing key is malformed; enroll anew")
}

impl OpeningKey {
    /// The one key pair and pre-shared key of `backup_key`.
    pub(crate) fn derive(backup_key: &BackupKey) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, backup_key.expose());
        let expand = |label: &[u8], out: &mut [u8; 32]| {
            hkdf.expand(label, out).expect("32 bytes are within HKDF's limit");
        };
        let mut seed = Zeroizing::new([0; 32]);
        expand(SEED_LABEL, &mut seed);
        let (private, public) = Kem::derive_keypair(&*seed);
        let psk = SecretBox::init_with_mut(|psk| expand(PSK_LABEL, psk));
        Self { private, sealing: SealingKey { public: public.to_bytes().into(), psk } }
    }

    /// A wrong key, wrong facts, a missing pre-shared key and tampering are one error.
    pub(crate) fn open(&self, facts: &[u8], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>> {
        let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(&sealed.encapsulated)
            .map_err(|_| shares_damaged())?;
        let mode = OpModeR::Psk(self.sealing.psk_bundle());
        single_shot_open::<AesGcm256, HkdfSha256, Kem>(
            &mode,
            &self.private,
            &encapsulated,
            facts,
            &sealed.ciphertext,
            &[],
        )
        .map(Zeroizing::new)
        .map_err(|_| shares_damaged())
    }
}

fn shares_damaged() -> Error {
    damaged("the shares in this backup are damaged or belong elsewhere; use another backup")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn opening_key(fill: u8) -> OpeningKey {
        OpeningKey::derive(&BackupKey::copied_from(&[fill; 32]))
    }

    #[test]
    fn the_sealing_key_alone_seals_what_the_backup_key_opens() {
        let opening = opening_key(1);
        let kept =
            SealingKey::from_parts(*opening.sealing.public(), opening.sealing.psk()).unwrap();
        let sealed = kept.seal(b"facts", b"shares").unwrap();
        assert_eq!(*opening.open(b"facts", &sealed).unwrap(), b"shares");
    }

    #[test]
    fn another_key_or_other_facts_do_not_open() {
        let sealed = opening_key(1).sealing.seal(b"facts", b"shares").unwrap();
        for result in [opening_key(2).open(b"facts", &sealed), opening_key(1).open(b"f", &sealed)] {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Damaged);
        }
    }

    #[test]
    fn a_message_sealed_without_the_pre_shared_key_is_refused() {
        let opening = opening_key(1);
        let public = PublicKey::from_bytes(opening.sealing.public()).unwrap();
        let (encapsulated, ciphertext) = single_shot_seal::<AesGcm256, HkdfSha256, Kem>(
            &OpModeS::Base,
            &public,
            b"facts",
            b"forged",
            &[],
        )
        .unwrap();
        let forged = Sealed { encapsulated: encapsulated.to_bytes().into(), ciphertext };
        assert_eq!(opening.open(b"facts", &forged).unwrap_err().kind(), ErrorKind::Damaged);
    }

    #[test]
    fn a_message_sealed_with_another_pre_shared_key_is_refused() {
        let opening = opening_key(1);
        let forger = SealingKey::from_parts(*opening.sealing.public(), &[9; 32]).unwrap();
        let forged = forger.seal(b"facts", b"forged").unwrap();
        assert_eq!(opening.open(b"facts", &forged).unwrap_err().kind(), ErrorKind::Damaged);
    }
}
