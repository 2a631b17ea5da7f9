//! A key in a hardware security module, by PKCS#11 (OASIS, version 2.40 or later).

mod device;
mod failure;
mod module;

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use async_io::Timer;
use backup_core::{
    DataKey, Error, ErrorKind, KeyContext, KeyEncryption, Result, async_trait,
    secrecy::SecretString,
};
use cryptoki::mechanism::{Mechanism, aead::GcmParams};
use futures_util::future::{Either, select};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use self::device::Device;
use crate::{
    codec::facts,
    error::{fill_random, invalid_input},
};

/// Where a key is, and what opens it.
#[derive(Debug)]
pub struct Pkcs11Options {
    /// The vendor's library: `/usr/lib/softhsm/libsofthsm2.so`.
    pub module: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The label of the key.
    pub key: String,
    /// The PIN of the token's user.
    pub pin: SecretString,
}

/// An AES-256 key in a token, and the provider that has it wrap and unwrap.
///
/// The token is asked for the first time when something is wrapped or unwrapped, on a thread of
/// its own, and asked anew when it was away. One that does not answer for 8 seconds is unavailable.
/// A PIN that it refused is never given again: a token locks itself after a few wrong ones.
pub struct Pkcs11Key {
    id: String,
    device: Arc<Device>,
}

impl Pkcs11Key {
    /// The key of this label, in the token of that. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a label that is empty or has more than 200 bytes.
    pub fn new(options: Pkcs11Options) -> Result<Self> {
        for label in [&options.token, &options.key] {
            if label.is_empty() || label.len() > MAX_LABEL {
                return Err(invalid_input("the labels of a token and a key have 1 to 200 bytes"));
            }
        }
        let (token, key) = (escaped(&options.token), escaped(&options.key));
        let id = format!("pkcs11:token={token};object={key}");
        Ok(Self { id, device: Arc::new(Device::new(options)) })
    }

    /// Asks the device on a thread of its own, and waits for a while.
    ///
    /// A call into a module cannot be ended. One that hangs keeps its thread, and those that came
    /// soon after it keep theirs; whoever asks later is refused at once, until it returns.
    async fn in_time<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Device) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.device.hangs(PATIENCE / 2) {
            return Err(does_not_answer());
        }
        let device = Arc::clone(&self.device);
        let asked = blocking::unblock(move || ask(&device));
        match select(asked, Timer::after(PATIENCE)).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => Err(does_not_answer()),
        }
    }

    /// What a wrap is bound to, short enough for any module.
    fn bound(&self, context: &KeyContext) -> Result<[u8; 32]> {
        let facts = facts("portal-backup/1 pkcs11 wrap", &[self.id.as_bytes()], context)?;
        Ok(Sha256::digest(facts).into())
    }
}

#[async_trait]
impl KeyEncryption for Pkcs11Key {
    fn key_id(&self) -> &str {
        &self.id
    }

    async fn wrap(&self, key: &DataKey, context: &KeyContext) -> Result<Vec<u8>> {
        let bound = self.bound(context)?;
        let key = Zeroizing::new(*key.expose());
        self.in_time(move |device| {
            let mut nonce = [0; NONCE_LEN];
            fill_random(&mut nonce)?;
            let sealed = device.with_key(failure::of_wrap, |session, handle| {
                // Some modules choose the nonce themselves, and put it here.
                let gcm = GcmParams::new(&mut nonce, &bound, TAG_BITS.into())?;
                session.encrypt(&Mechanism::AesGcm(gcm), handle, &*key)
            })?;
            Ok([&[WRAP_VERSION], &nonce[..], &sealed].concat())
        })
        .await
    }

    async fn unwrap(&self, wrapped: &[u8], context: &KeyContext) -> Result<DataKey> {
        let bound = self.bound(context).map_err(|_| does_not_unwrap())?;
        let wrapped: [u8; WRAPPED_LEN] = wrapped.try_into().map_err(|_| does_not_unwrap())?;
        if wrapped[0] != WRAP_VERSION {
            return Err(does_not_unwrap());
        }
        self.in_time(move |device| {
            let (nonce, sealed) = wrapped[1..].split_at(NONCE_LEN);
            let opened = device.with_key(failure::of_unwrap, |session, handle| {
                let mut nonce = nonce.to_vec();
                let gcm = GcmParams::new(&mut nonce, &bound, TAG_BITS.into())?;
                session.decrypt(&Mechanism::AesGcm(gcm), handle, sealed)
            });
            let opened = Zeroizing::new(opened?);
            DataKey::try_init_with(|key| {
                *key = opened[..].try_into().map_err(|_| does_not_unwrap())?;
                Ok(())
            })
        })
        .await
    }
}

impl fmt::Debug for Pkcs11Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Somebody waits who has lost a device, and perhaps another key would open it: not for long.
const PATIENCE: Duration = Duration::from_secs(8);

const WRAP_VERSION: u8 = 1;
const NONCE_LEN: usize = 12;
const TAG_BITS: u64 = 128;
const WRAPPED_LEN: usize = 1 + NONCE_LEN + 32 + 16;

/// A key id has room for both, each byte escaped.
const MAX_LABEL: usize = 200;

/// As in a PKCS#11 URI (RFC 7512).
fn escaped(label: &str) -> String {
    let mut text = String::new();
    for byte in label.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(byte.into());
        } else {
            text += &format!("%{byte:02X}");
        }
    }
    text
}

fn does_not_answer() -> Error {
    let message = "the token has not answered for 8 seconds; see to it that it works";
    Error::new(ErrorKind::Unavailable, message)
}

fn does_not_unwrap() -> Error {
    Error::new(
        ErrorKind::Unauthorized,
        "the token does not unwrap this: it was wrapped under another key or for another purpose, \
         or was tampered with",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(token: &str, key: &str) -> Result<String> {
        let (token, key) = (token.to_owned(), key.to_owned());
        let options =
            Pkcs11Options { module: PathBuf::new(), token, key, pin: SecretString::from("") };
        Pkcs11Key::new(options).map(|key| key.id)
    }

    #[test]
    fn a_key_is_named_by_both_labels_and_no_two_pairs_of_labels_alike() {
        assert_eq!(id("vault 1", "kek").unwrap(), "pkcs11:token=vault%201;object=kek");
        assert_ne!(id("a;object=b", "c").unwrap(), id("a", "b;object=c").unwrap());
    }

    #[test]
    fn a_label_is_neither_empty_nor_longer_than_a_key_id_has_room_for() {
        let long = "\u{1}".repeat(MAX_LABEL);
        assert!(id(&long, &long).unwrap().len() <= crate::KeyRing::MAX_KEY_ID_LEN);
        assert!(id("", "key").is_err() && id("token", "").is_err());
        assert!(id("token", &"k".repeat(MAX_LABEL + 1)).is_err());
    }
}
