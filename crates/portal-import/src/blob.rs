//! The two forms of a blob: under a key, and under a password. Both are AES-256-GCM without
//! associated data.

use std::fmt;

use aes_gcm::{Aes256Gcm, KeyInit, Nonce, aead::AeadInOut};
use backup_core::secrecy::{ExposeSecret, SecretString};
use pbkdf2::pbkdf2_hmac;
use portal_mpc::ByCurve;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{ImportError, PortalShare, error::Result, json::MOST_CHARACTERS, shares::read_shares};

const SALT_LEN: usize = 16;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// Fixed: a blob names neither its iterations nor a version.
const ITERATIONS: u32 = 100_000;

/// The key of a backup by Drive, iCloud, passkey, Firebase or an app's own store, as that method
/// kept it.
pub struct PortalKey(Box<Zeroizing<[u8; 32]>>);

impl PortalKey {
    /// Reads the 64 lower-case hexadecimal digits that the method kept.
    ///
    /// # Errors
    ///
    /// [`ImportError::InvalidKey`] if it is anything else. White space counts.
    pub fn from_hex(hex: &str) -> Result<Self> {
        let mut key = Box::new(Zeroizing::new([0; 32]));
        let decoded = base16ct::lower::decode(hex, key.as_mut_slice());
        match decoded {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(key)),
            _ => Err(ImportError::InvalidKey),
        }
    }
}

impl fmt::Debug for PortalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PortalKey([REDACTED])")
    }
}

/// Opens a blob that Portal's SDKs wrote with a method that keeps a key, and reads its shares.
///
/// Every share was checked against its public key. `cipher_text` is what Portal calls so.
///
/// # Errors
///
/// [`ImportError`]: of the ciphertext, [`TooLong`](ImportError::TooLong),
/// [`NotABlob`](ImportError::NotABlob), [`TooShort`](ImportError::TooShort) or
/// [`WrongKey`](ImportError::WrongKey); of what is in it, as [`read_shares`].
pub fn open_with_key(cipher_text: &str, key: &PortalKey) -> Result<ByCurve<PortalShare>> {
    let blob = bytes(cipher_text, NONCE_LEN + TAG_LEN)?;
    let plaintext = decrypt(&key.0, &blob).ok_or(ImportError::WrongKey)?;
    shares_in(&plaintext)
}

/// Opens a blob that Portal's SDKs wrote under a password or PIN, and reads its shares.
///
/// Every share was checked against its public key. `cipher_text` is what Portal calls so. The
/// password is taken as it is: neither trimmed nor normalized, of any length. This blocks for
/// 100,000 rounds of HMAC: tens of milliseconds or more, so keep it off an async executor.
///
/// # Errors
///
/// As [`open_with_key`], and [`ImportError::WrongPassword`] instead of a wrong key.
pub fn open_with_password(
    cipher_text: &str,
    password: &SecretString,
) -> Result<ByCurve<PortalShare>> {
    let blob = bytes(cipher_text, SALT_LEN + NONCE_LEN + TAG_LEN)?;
    let (salt, sealed) = blob.split_first_chunk::<SALT_LEN>().ok_or(ImportError::TooShort)?;
    let mut key = Zeroizing::new([0; 32]);
    let password = password.expose_secret().as_bytes();
    pbkdf2_hmac::<Sha256>(password, salt, ITERATIONS, key.as_mut_slice());
    let plaintext = decrypt(&key, sealed).ok_or(ImportError::WrongPassword)?;
    shares_in(&plaintext)
}

/// The blob, before any costly work.
fn bytes(cipher_text: &str, shortest: usize) -> Result<Vec<u8>> {
    if cipher_text.len() > MOST_CHARACTERS {
        return Err(ImportError::TooLong { limit: MOST_CHARACTERS });
    }
    let blob = base16ct::lower::decode_vec(cipher_text).map_err(|_| ImportError::NotABlob)?;
    if blob.len() < shortest {
        return Err(ImportError::TooShort);
    }
    Ok(blob)
}

/// Decrypts `nonce ‖ ciphertext ‖ tag` in one buffer, which is wiped.
fn decrypt(key: &[u8; 32], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG_LEN>()?;
    let mut text = Zeroizing::new(ciphertext.to_vec());
    Aes256Gcm::new(key.into())
        .decrypt_inout_detached(
            &Nonce::from(*nonce),
            &[],
            text.as_mut_slice().into(),
            &(*tag).into(),
        )
        .ok()?;
    Some(text)
}

fn shares_in(plaintext: &[u8]) -> Result<ByCurve<PortalShare>> {
    read_shares(std::str::from_utf8(plaintext).map_err(|_| ImportError::NotJson)?)
}
