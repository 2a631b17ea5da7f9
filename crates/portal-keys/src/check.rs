//! A value that tells whether a key is still the one that everything was wrapped under.

use backup_core::{DataKey, Error, ErrorKind, KeyContext, KeyEncryption, Result};
use subtle::ConstantTimeEq;

use crate::{aead, codec::Reader, wrap::Wrap};

/// What a database keeps of each key: enough to know it again, useless without it.
///
/// It is a random data key, wrapped, and a digest of it: so it works for any provider, and proves
/// that the provider unwraps now what it wrapped then.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyCheck {
    wrap: Wrap,
    digest: [u8; 32],
}

impl KeyCheck {
    /// A check value for `provider`'s key, unwrapped and compared before it is returned.
    ///
    /// # Errors
    ///
    /// Those of the provider; [`ErrorKind::Damaged`] if it unwraps another key than it wrapped.
    pub async fn make(provider: &dyn KeyEncryption) -> Result<Self> {
        let key = DataKey::generate()?;
        let wrap = Wrap::make(provider, &key, &context()).await?;
        Ok(Self { wrap, digest: digest(&key) })
    }

    /// Which key this is about.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.wrap.key_id()
    }

    /// Proves that `provider` has the key that this was made with.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] for another key; otherwise the provider's.
    pub async fn verify(&self, provider: &dyn KeyEncryption) -> Result<()> {
        if provider.key_id() != self.key_id() {
            return Err(another_key(self.key_id()));
        }
        let key = self.wrap.unwrap_by(provider, &context()).await.map_err(|error| {
            let message = format!("the key {} does not prove itself: {error}", self.key_id());
            Error::new(error.kind(), message).with_source(error)
        })?;
        if !bool::from(digest(&key).ct_eq(&self.digest)) {
            return Err(another_key(self.key_id()));
        }
        Ok(())
    }

    /// The bytes to store. Their format is in `docs/format.md`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        self.wrap.write(&mut bytes);
        bytes.extend_from_slice(&self.digest);
        bytes
    }

    /// Reads what [`encode`](Self::encode) made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnknownVersion`], or [`ErrorKind::Damaged`] for anything else that is not such
    /// a value.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "the check value of a key is cut short or too long");
        if reader.byte()? != VERSION {
            return Err(Error::new(
                ErrorKind::UnknownVersion,
                "a newer version of this software wrote the check value of a key; update",
            ));
        }
        let wrap = Wrap::read(&mut reader)?;
        let digest = *reader.array()?;
        reader.finish()?;
        Ok(Self { wrap, digest })
    }
}

const VERSION: u8 = 1;

fn context() -> KeyContext {
    KeyContext::new().with("purpose", "key-check")
}

fn digest(key: &DataKey) -> [u8; 32] {
    let mut digest = [0; 32];
    aead::derive(key.expose(), b"portal-backup/1 key check", &mut digest);
    digest
}

fn another_key(key_id: &str) -> Error {
    let message = format!(
        "this is not the key {key_id} that everything is wrapped under; configure that one, or \
         restore it from its copy"
    );
    Error::new(ErrorKind::Unauthorized, message)
}
