//! A key-encryption key in a local file.

mod create;
mod error;
mod read;
mod text;

use std::{fmt, path::Path};

use backup_core::{
    DataKey, Error, ErrorKind, KeyContext, KeyEncryption, Result, async_trait,
    secrecy::{ExposeSecret, SecretBox},
};

pub use self::error::KeyFileError;
use crate::{aead, codec::facts, error::fill_random};

/// A key in a local file, and the provider that wraps under it.
///
/// Whoever has the file and a copy of the database has every share that is wrapped under this key
/// alone; whoever loses the file has none. Keep a copy of it, apart from those of the database.
pub struct KeyFile {
    id: String,
    key: SecretBox<[u8; 32]>,
}

impl KeyFile {
    /// Makes a file with a fresh key, which its owner alone may read.
    ///
    /// The file appears at once and whole, and is durable and read back before this returns. Do
    /// this only together with a new database; a service that starts opens what is there.
    ///
    /// # Errors
    ///
    /// [`KeyFileError::Exists`] if there is anything at `path`: nothing is ever overwritten.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        let path = path.as_ref();
        let key = generate().map_err(|source| KeyFileError::NoRandomness { source })?;
        let made = Self::from_key(key);
        create::new_file(path, &text::write(&made))?;
        Self::open_expecting(path, made.key_id())
    }

    /// Opens the file at `path`; makes none.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`] says what is wrong with the file and what to do.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        let path = path.as_ref();
        text::parse(&read::key_file(path)?).map_err(|problem| problem.in_file(path))
    }

    /// Opens the file at `path`, which must hold the key of this id.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open), and [`KeyFileError::WrongKey`].
    pub fn open_expecting(path: impl AsRef<Path>, key_id: &str) -> Result<Self, KeyFileError> {
        let path = path.as_ref();
        let opened = Self::open(path)?;
        if opened.id == key_id {
            return Ok(opened);
        }
        Err(KeyFileError::WrongKey { path: path.into(), expected: key_id.into(), found: opened.id })
    }

    /// The id is derived from the key, so that it is also the check of the file.
    fn from_key(key: SecretBox<[u8; 32]>) -> Self {
        let mut id = [0; 16];
        aead::derive(key.expose_secret(), b"portal-backup/1 key file id", &mut id);
        Self { id: format!("file:{}", base16ct::lower::encode_string(&id)), key }
    }

    fn wrap_facts(&self, salt: &[u8; SALT_LEN], context: &KeyContext) -> Result<Vec<u8>> {
        facts("portal-backup/1 key file wrap", &[salt, self.id.as_bytes()], context)
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl KeyEncryption for KeyFile {
    fn key_id(&self) -> &str {
        &self.id
    }

    async fn wrap(&self, key: &DataKey, context: &KeyContext) -> Result<Vec<u8>> {
        let mut salt = [0; SALT_LEN];
        fill_random(&mut salt)?;
        let facts = self.wrap_facts(&salt, context)?;
        let sealed = aead::seal(self.key.expose_secret(), &facts, key.expose());
        Ok([&[WRAP_VERSION], &salt[..], &sealed].concat())
    }

    async fn unwrap(&self, wrapped: &[u8], context: &KeyContext) -> Result<DataKey> {
        let (&version, rest) = wrapped.split_first().ok_or_else(does_not_unwrap)?;
        let (salt, sealed) = rest.split_first_chunk().ok_or_else(does_not_unwrap)?;
        if version != WRAP_VERSION {
            return Err(does_not_unwrap());
        }
        let facts = self.wrap_facts(salt, context).map_err(|_| does_not_unwrap())?;
        DataKey::try_init_with(|key| aead::open(self.key.expose_secret(), &facts, sealed, key))
            .map_err(|_| does_not_unwrap())
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFile").field("id", &self.id).finish_non_exhaustive()
    }
}

const WRAP_VERSION: u8 = 1;

/// Each wrap has a key of its own: with 256 random bits, however many there are.
const SALT_LEN: usize = 32;

fn generate() -> Result<SecretBox<[u8; 32]>> {
    let mut key = SecretBox::new(Box::new([0; 32]));
    fill_random(backup_core::secrecy::ExposeSecretMut::expose_secret_mut(&mut key))?;
    Ok(key)
}

fn does_not_unwrap() -> Error {
    Error::new(
        ErrorKind::Unauthorized,
        "the key file does not unwrap this: it was wrapped under another key or for another \
         purpose, or was tampered with",
    )
}
