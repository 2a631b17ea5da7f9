//! One passkey: its keys, what it signs, and its PRFs.

use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sha2::{Digest, Sha256};

use super::cbor;

/// A discoverable credential.
pub(super) struct Credential {
    pub(super) id: Vec<u8>,
    pub(super) relying_party: String,
    pub(super) user_handle: Vec<u8>,
    key: SigningKey,
    /// CTAP2's `CredRandomWithUV` and `CredRandomWithoutUV`.
    random: [[u8; 32]; 2],
    pub(super) has_prf: bool,
}

impl Credential {
    pub(super) fn generate(relying_party: &str, user_handle: Vec<u8>, has_prf: bool) -> Self {
        Self {
            id: random_32().to_vec(),
            relying_party: relying_party.to_owned(),
            user_handle,
            key: SigningKey::from_slice(&random_32()).expect("nearly every number is a key"),
            random: [random_32(), random_32()],
            has_prf,
        }
    }

    /// WebAuthn, section 6.1, with attested credential data.
    pub(super) fn created_data(&self, verified: bool) -> Vec<u8> {
        let id_len = u16::try_from(self.id.len()).expect("32 fits");
        let mut data = self.header(flags(verified, true) | FLAG_AT | self.extensions(), 0);
        data.extend([0; 16]); // No AAGUID: any model.
        data.extend(id_len.to_be_bytes());
        data.extend(&self.id);
        data.extend(self.public_key());
        if self.has_prf {
            data.extend([cbor::map(1), cbor::text("hmac-secret"), cbor::TRUE.to_vec()].concat());
        }
        data
    }

    /// WebAuthn, section 6.1, as an assertion has it.
    pub(super) fn asserted_data(&self, verified: bool, eligible: bool, counter: u32) -> Vec<u8> {
        self.header(flags(verified, eligible), counter)
    }

    pub(super) fn sign(&self, authenticator_data: &[u8], client_data_json: &[u8]) -> Vec<u8> {
        let message = [authenticator_data, &Sha256::digest(client_data_json)].concat();
        let signature: Signature = self.key.sign(&message);
        signature.to_der().as_bytes().to_vec()
    }

    /// The PRF that goes with whether the user was verified.
    pub(super) fn evaluate(&self, input: &[u8], verified: bool) -> [u8; 32] {
        prf(&self.random[usize::from(verified)], input)
    }

    fn header(&self, flags: u8, counter: u32) -> Vec<u8> {
        let mut header = Sha256::digest(&self.relying_party).to_vec();
        header.push(flags);
        header.extend(counter.to_be_bytes());
        header
    }

    fn extensions(&self) -> u8 {
        if self.has_prf { FLAG_ED } else { 0 }
    }

    /// A `COSE_Key` (RFC 9053, section 7.1.1) for ES256.
    fn public_key(&self) -> Vec<u8> {
        let point = self.key.verifying_key().to_sec1_point(false);
        let (x, y) = (point.x().expect("it has x"), point.y().expect("it has y"));
        [
            [cbor::map(5), cbor::int(1), cbor::int(2), cbor::int(3), cbor::int(-7)].concat(),
            [cbor::int(-1), cbor::int(1), cbor::int(-2), cbor::bytes(x)].concat(),
            [cbor::int(-3), cbor::bytes(y)].concat(),
        ]
        .concat()
    }
}

fn flags(verified: bool, backup_eligible: bool) -> u8 {
    let verified = if verified { FLAG_UV } else { 0 };
    let backed_up = if backup_eligible { FLAG_BE | FLAG_BS } else { 0 };
    FLAG_UP | verified | backed_up
}

/// What the PRF of the extension makes of `input`: WebAuthn Level 3, section 10.1.4, over CTAP 2.1,
/// section 12.5.
#[must_use]
pub fn prf(credential_random: &[u8; 32], input: &[u8]) -> [u8; 32] {
    let salt = Sha256::new().chain_update(b"WebAuthn PRF\0").chain_update(input).finalize();
    let mut mac = Hmac::<Sha256>::new_from_slice(credential_random).expect("any length will do");
    mac.update(&salt);
    mac.finalize().into_bytes().into()
}

pub(super) fn random_32() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

const FLAG_UP: u8 = 1;
const FLAG_UV: u8 = 1 << 2;
const FLAG_BE: u8 = 1 << 3;
const FLAG_BS: u8 = 1 << 4;
const FLAG_AT: u8 = 1 << 6;
const FLAG_ED: u8 = 1 << 7;
