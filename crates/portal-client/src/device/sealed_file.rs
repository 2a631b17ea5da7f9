//! The encryption of a file that the device keeps, committed to key, client and kind.

use aes_gcm::{Aes256Gcm, KeyInit, Nonce, aead::AeadInOut};
use backup_core::{DataKey, EncryptionContext, Error, ErrorKind, Result};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::codec::{damaged, unknown_version};

/// What a file is: one kind never passes for another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    State,
    Journal,
}

impl Kind {
    fn label(self) -> &'static [u8] {
        match self {
            Self::State => b"portal-backup/1 device state",
            Self::Journal => b"portal-backup/1 device journal",
        }
    }

    fn magic(self) -> &'static [u8] {
        match self {
            Self::State => b"portal-device-1\n",
            Self::Journal => b"portal-journal-1\n",
        }
    }

    /// What every version begins with, up to its number.
    fn name(self) -> &'static [u8] {
        let magic = self.magic();
        &magic[..magic.len() - 2]
    }
}

/// The bytes of a file that holds `plaintext`, under a key made for this one file.
pub(super) fn seal(
    kind: Kind,
    key: &DataKey,
    client: &EncryptionContext,
    plaintext: &[u8],
) -> Result<Vec<u8>> {
    let mut salt = [0; SALT_LEN];
    getrandom::fill(&mut salt).map_err(|error| {
        Error::new(ErrorKind::Unavailable, "the operating system has no randomness to give")
            .with_source(error)
    })?;
    let derived = Derived::new(key, &facts(kind, &salt, client));
    let mut ciphertext = Zeroizing::new(plaintext.to_vec());
    let tag = derived
        .cipher()
        .encrypt_inout_detached(&Nonce::from(NONCE), &[], ciphertext.as_mut_slice().into())
        .expect("what a device keeps is far below AES-GCM's limit");
    Ok([kind.magic(), &salt, &derived.commitment, &ciphertext, &tag].concat())
}

/// What [`seal`] was given.
///
/// # Errors
///
/// `UnknownVersion`; `Unauthorized` for another key or client; `Damaged`.
pub(super) fn open(
    kind: Kind,
    key: &DataKey,
    client: &EncryptionContext,
    file: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let body = file.strip_prefix(kind.magic()).ok_or_else(|| of_first_line(kind, file))?;
    let (salt, rest) = body.split_first_chunk::<SALT_LEN>().ok_or_else(damaged)?;
    let (commitment, rest) = rest.split_first_chunk::<32>().ok_or_else(damaged)?;
    let (ciphertext, tag) = rest.split_last_chunk::<16>().ok_or_else(damaged)?;
    let derived = Derived::new(key, &facts(kind, salt, client));
    if !bool::from(derived.commitment.ct_eq(commitment)) {
        return Err(Error::new(
            ErrorKind::Unauthorized,
            "this key does not open what the device keeps for this client",
        ));
    }
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    derived
        .cipher()
        .decrypt_inout_detached(
            &Nonce::from(NONCE),
            &[],
            plaintext.as_mut_slice().into(),
            &(*tag).into(),
        )
        .map_err(|_| damaged())?;
    Ok(plaintext)
}

/// The name of a client's files: safe in any file system, and says nothing of the client.
pub(super) fn file_name(client: &EncryptionContext) -> String {
    let mut facts = Vec::new();
    for fact in [&b"portal-backup/1 device file"[..], custodian(client), user(client)] {
        push(&mut facts, fact);
    }
    base16ct::lower::encode_string(&Sha256::digest(&facts)[..16])
}

fn of_first_line(kind: Kind, file: &[u8]) -> Error {
    let version =
        file.strip_prefix(kind.name()).and_then(|rest| rest.split(|b| *b == b'\n').next());
    let is_number = |version: &[u8]| !version.is_empty() && version.iter().all(u8::is_ascii_digit);
    if !version.is_some_and(is_number) {
        return damaged();
    }
    unknown_version()
}

fn facts(kind: Kind, salt: &[u8], client: &EncryptionContext) -> Vec<u8> {
    let mut facts = Vec::new();
    for fact in [kind.label(), salt, custodian(client), user(client)] {
        push(&mut facts, fact);
    }
    facts
}

fn push(facts: &mut Vec<u8>, fact: &[u8]) {
    let len = u16::try_from(fact.len()).expect("ids have at most 128 bytes");
    facts.extend_from_slice(&len.to_be_bytes());
    facts.extend_from_slice(fact);
}

fn custodian(client: &EncryptionContext) -> &[u8] {
    client.custodian.as_str().as_bytes()
}

fn user(client: &EncryptionContext) -> &[u8] {
    client.client.as_str().as_bytes()
}

const SALT_LEN: usize = 32;

/// Each salt makes a key that encrypts once, so the nonce need not differ.
const NONCE: [u8; 12] = [0; 12];

struct Derived {
    key: Zeroizing<[u8; 32]>,
    commitment: [u8; 32],
}

impl Derived {
    fn new(key: &DataKey, facts: &[u8]) -> Self {
        let mut output = Zeroizing::new([0; 64]);
        Hkdf::<Sha256>::new(None, key.expose())
            .expand(facts, output.as_mut_slice())
            .expect("64 bytes are within HKDF's limit");
        let mut derived = Self { key: Zeroizing::new([0; 32]), commitment: [0; 32] };
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
    use backup_core::{ClientId, CustodianId};

    use super::*;

    fn client(name: &str) -> EncryptionContext {
        EncryptionContext::new(CustodianId::new("acme").unwrap(), ClientId::new(name).unwrap())
    }

    fn kind_of(opened: Result<Zeroizing<Vec<u8>>>) -> ErrorKind {
        opened.unwrap_err().kind()
    }

    #[test]
    fn a_file_opens_with_its_key_for_its_client_and_as_what_it_is() {
        let (key, alice) = (DataKey::copied_from(&[1; 32]), client("alice"));
        let file = seal(Kind::State, &key, &alice, b"share").unwrap();
        assert_eq!(&**open(Kind::State, &key, &alice, &file).unwrap(), b"share");
        let other = DataKey::copied_from(&[2; 32]);
        let wrong = ErrorKind::Unauthorized;
        assert_eq!(kind_of(open(Kind::State, &other, &alice, &file)), wrong);
        assert_eq!(kind_of(open(Kind::State, &key, &client("bob"), &file)), wrong);
        let body = &file[Kind::State.magic().len()..];
        let renamed = [Kind::Journal.magic(), body].concat();
        assert_eq!(kind_of(open(Kind::Journal, &key, &alice, &renamed)), wrong);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let (key, alice) = (DataKey::copied_from(&[1; 32]), client("alice"));
        let file = seal(Kind::State, &key, &alice, b"share").unwrap();
        for bit in 0..file.len() * 8 {
            let mut flipped = file.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(Kind::State, &key, &alice, &flipped).is_err(), "bit {bit}");
        }
        for len in 0..file.len() {
            assert!(open(Kind::State, &key, &alice, &file[..len]).is_err(), "{len} bytes");
        }
    }

    #[test]
    fn a_later_version_is_told_from_damage() {
        let (key, alice) = (DataKey::copied_from(&[1; 32]), client("alice"));
        let open = |file: &[u8]| kind_of(open(Kind::State, &key, &alice, file));
        assert_eq!(open(b"portal-device-2\n"), ErrorKind::UnknownVersion);
        assert_eq!(open(b"portal-device-12\nx"), ErrorKind::UnknownVersion);
        assert_eq!(open(b"portal-device-\n"), ErrorKind::Damaged);
        assert_eq!(open(b""), ErrorKind::Damaged);
    }
}
