//! A key-encryption provider in memory.

use std::{fmt, sync::Arc};

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use backup_core::{
    BackupId, DataKey, Error, ErrorKind, KeyContext, KeyEncryption, Result, async_trait,
};

use crate::drops::yield_now;

/// A [`KeyEncryption`] whose key lies in memory. A clone is another handle to the same key.
///
/// It wraps by AES-256-GCM with a random nonce, the context as associated data.
#[derive(Clone)]
pub struct MemoryKey {
    id: String,
    key: Arc<DataKey>,
}

impl MemoryKey {
    /// A fresh key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if the operating system has no randomness.
    pub fn generate() -> Result<Self> {
        let id = format!("memory:{}", BackupId::generate()?);
        Ok(Self { id, key: Arc::new(DataKey::generate()?) })
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(self.key.expose().into())
    }
}

impl fmt::Debug for MemoryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryKey").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl KeyEncryption for MemoryKey {
    fn key_id(&self) -> &str {
        &self.id
    }

    async fn wrap(&self, key: &DataKey, context: &KeyContext) -> Result<Vec<u8>> {
        yield_now().await;
        let nonce = random_nonce()?;
        let payload = Payload { msg: key.expose(), aad: &associated(context) };
        let sealed = self.cipher().encrypt(&Nonce::from(nonce), payload).map_err(|_| refused())?;
        Ok([&nonce[..], &sealed].concat())
    }

    async fn unwrap(&self, wrapped: &[u8], context: &KeyContext) -> Result<DataKey> {
        yield_now().await;
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>().ok_or_else(refused)?;
        let payload = Payload { msg: sealed, aad: &associated(context) };
        let key = self.cipher().decrypt(&Nonce::from(*nonce), payload).map_err(|_| refused())?;
        let key: &[u8; 32] = key.as_slice().try_into().map_err(|_| refused())?;
        Ok(DataKey::copied_from(key))
    }
}

const NONCE_LEN: usize = 12;

fn random_nonce() -> Result<[u8; NONCE_LEN]> {
    let mut nonce = [0; NONCE_LEN];
    getrandom::fill(&mut nonce).map_err(|error| {
        Error::new(ErrorKind::Unavailable, "the operating system has no randomness to give")
            .with_source(error)
    })?;
    Ok(nonce)
}

/// The facts, each with its length in front, so that no two contexts look alike.
fn associated(context: &KeyContext) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in context.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

fn refused() -> Error {
    Error::new(ErrorKind::Unauthorized, "the key does not unwrap with this key and context")
}
