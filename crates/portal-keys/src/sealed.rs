//! A share at rest: encrypted once, its key wrapped by several providers side by side.

use backup_core::{
    DataKey, Error, ErrorKind, KeyContext, Result,
    secrecy::{ExposeSecret, ExposeSecretMut, SecretSlice},
};
use futures_util::future::{join_all, try_join_all};

use crate::{
    KeyRing, aead,
    aead::Closed,
    codec::{Reader, facts},
    error::{damaged, invalid_input},
    wrap::{Wrap, by_key},
};

/// One share, sealed under every active key of a [`KeyRing`]: any of them opens it.
///
/// All of it may be stored with the rest of the database. It says under which keys it is wrapped,
/// and nothing of whose share it is: that the reader supplies, and must get right. For a share it
/// is a [`ShareContext`](crate::ShareContext); what is no share has other facts, with a role of its
/// own among them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealedShare {
    wraps: Vec<Wrap>,
    sealed: Vec<u8>,
}

/// Whether one wrap of a [`SealedShare`] opens it.
#[derive(Debug)]
pub struct WrapReport {
    /// The key that the wrap is under.
    pub key_id: String,
    /// Whether it led to the share.
    pub outcome: Result<()>,
}

impl SealedShare {
    /// The longest share, in bytes.
    pub const MAX_SHARE_LEN: usize = 1 << 20;

    /// Seals `share` under a fresh data key, and that under all active keys at once.
    ///
    /// Every wrap is unwrapped again and compared before this returns.
    ///
    /// # Errors
    ///
    /// Those of the first provider that fails: a share is under all keys or not sealed at all.
    /// [`ErrorKind::InvalidInput`] if it has no bytes or more than
    /// [`MAX_SHARE_LEN`](Self::MAX_SHARE_LEN).
    pub async fn seal(
        share: &SecretSlice<u8>,
        context: impl Into<KeyContext>,
        ring: &KeyRing,
    ) -> Result<Self> {
        let context = context.into();
        let share = share.expose_secret();
        if !(1..=Self::MAX_SHARE_LEN).contains(&share.len()) {
            return Err(invalid_input("a share to be sealed has 1 byte to 1 MiB"));
        }
        let key = DataKey::generate()?;
        let sealed = aead::seal(key.expose(), &share_facts(&context)?, share);
        Ok(Self { wraps: wrap_by_all(&key, &context, ring).await?, sealed })
    }

    /// Opens the share by the first of its wraps that leads to it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if a provider that may have the key does not answer: try again,
    /// nothing is lost. [`ErrorKind::NotFound`] if the ring has none of the keys.
    /// [`ErrorKind::Unauthorized`] for another context, or wraps that were tampered with.
    /// [`ErrorKind::Damaged`] if a wrap opens and the share behind it does not.
    pub async fn open(
        &self,
        context: impl Into<KeyContext>,
        ring: &KeyRing,
    ) -> Result<SecretSlice<u8>> {
        self.open_with_key(&context.into(), ring).await.map(|(share, _)| share)
    }

    /// Tries every wrap, and says of each whether it opens the share.
    pub async fn verify(&self, context: impl Into<KeyContext>, ring: &KeyRing) -> Vec<WrapReport> {
        let context = context.into();
        let reports = self.wraps.iter().map(|wrap| async {
            let outcome = self.open_by(wrap, &context, ring).await.map(|_| ());
            WrapReport { key_id: wrap.key_id().to_owned(), outcome }
        });
        join_all(reports).await
    }

    /// The same share under the active keys of `ring`, and under no others.
    ///
    /// Every new wrap is unwrapped again and compared. Replace the stored record only by what this
    /// returns.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open) and [`seal`](Self::seal).
    pub async fn rewrap(&self, context: impl Into<KeyContext>, ring: &KeyRing) -> Result<Self> {
        let context = context.into();
        let (_, key) = self.open_with_key(&context, ring).await?;
        let wraps = wrap_by_all(&key, &context, ring).await?;
        Ok(Self { wraps, sealed: self.sealed.clone() })
    }

    /// The keys that the share is wrapped under.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.wraps.iter().map(Wrap::key_id)
    }

    /// The bytes to store. Their format is in `docs/format.md`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, count(&self.wraps)];
        for wrap in &self.wraps {
            wrap.write(&mut bytes);
        }
        bytes.extend_from_slice(&self.sealed);
        bytes
    }

    /// Reads what [`encode`](Self::encode) made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnknownVersion`], or [`ErrorKind::Damaged`] for anything else that is not such
    /// a record.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "a sealed share is cut short");
        if reader.byte()? != VERSION {
            return Err(Error::new(
                ErrorKind::UnknownVersion,
                "a newer version of this software sealed this share; update",
            ));
        }
        let count = usize::from(reader.byte()?);
        if !(1..=KeyRing::MAX_ACTIVE).contains(&count) {
            return Err(damaged("a sealed share has 1 to 8 wraps"));
        }
        let wraps: Vec<_> = (0..count).map(|_| Wrap::read(&mut reader)).collect::<Result<_>>()?;
        let sealed = reader.rest();
        let lens = 1 + aead::OVERHEAD..=Self::MAX_SHARE_LEN + aead::OVERHEAD;
        if !lens.contains(&sealed.len()) {
            return Err(damaged("a sealed share is cut short or too long"));
        }
        Ok(Self { wraps, sealed: sealed.to_vec() })
    }

    async fn open_with_key(
        &self,
        context: &KeyContext,
        ring: &KeyRing,
    ) -> Result<(SecretSlice<u8>, DataKey)> {
        let mut worst: Option<Error> = None;
        for wrap in &self.wraps {
            match self.open_by(wrap, context, ring).await {
                Ok(opened) => return Ok(opened),
                Err(error) => worst = Some(more_telling(worst, error)),
            }
        }
        Err(worst.expect("a sealed share has at least one wrap"))
    }

    async fn open_by(
        &self,
        wrap: &Wrap,
        context: &KeyContext,
        ring: &KeyRing,
    ) -> Result<(SecretSlice<u8>, DataKey)> {
        let key_id = wrap.key_id();
        let provider = ring.provider(key_id).ok_or_else(|| not_configured(key_id))?;
        let key = wrap.unwrap_by(provider, context).await.map_err(|error| by_key(key_id, error))?;
        let share = self.decrypt(&key, context).map_err(|error| by_key(key_id, error))?;
        Ok((share, key))
    }

    fn decrypt(&self, key: &DataKey, context: &KeyContext) -> Result<SecretSlice<u8>> {
        let mut share = SecretSlice::from(vec![0; self.sealed.len() - aead::OVERHEAD]);
        let facts = share_facts(context)?;
        aead::open(key.expose(), &facts, &self.sealed, share.expose_secret_mut()).map_err(
            |closed| match closed {
                Closed::Uncommitted => damaged("the unwrapped key is not the share's"),
                Closed::Tampered => damaged("the sealed share is damaged"),
            },
        )?;
        Ok(share)
    }
}

const VERSION: u8 = 1;

fn count(wraps: &[Wrap]) -> u8 {
    u8::try_from(wraps.len()).expect("a sealed share has at most 8 wraps")
}

fn share_facts(context: &KeyContext) -> Result<Vec<u8>> {
    facts("portal-backup/1 server share", &[], context)
}

async fn wrap_by_all(key: &DataKey, context: &KeyContext, ring: &KeyRing) -> Result<Vec<Wrap>> {
    let wraps = ring.active().map(|provider| async move {
        let wrap = Wrap::make(provider, key, context).await;
        wrap.map_err(|error| by_key(provider.key_id(), error))
    });
    try_join_all(wraps).await
}

/// Of two failures, the one that says most about what to do: try again before all else.
fn more_telling(before: Option<Error>, error: Error) -> Error {
    let rank = |error: &Error| match error.kind() {
        ErrorKind::Unavailable => 3,
        ErrorKind::Damaged => 2,
        ErrorKind::NotFound => 0,
        _ => 1,
    };
    match before {
        Some(before) if rank(&before) >= rank(&error) => before,
        _ => error,
    }
}

fn not_configured(key_id: &str) -> Error {
    let message = format!("the share is wrapped under {key_id}, which is not configured");
    Error::new(ErrorKind::NotFound, message)
}
