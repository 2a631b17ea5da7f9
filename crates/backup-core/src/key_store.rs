//! Methods that store: 32 bytes under a name, and the backup method that this makes.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    BackupMethod, EncryptionContext, EncryptionKey, Enrollment, Error, ErrorKind, Held, MethodId,
    MethodParams, Operation, Progress, Result, Stage, WrappingKey, binding::Facts, error::damaged,
    id::to_hex, secret::random_bytes,
};

/// A place that keeps 32 bytes under a name: a folder, a keychain, somebody's cloud.
///
/// [`StoredKey`] makes a [`BackupMethod`] of it. Nothing is ever overwritten, so a store needs no
/// transactions, only a `put` that creates.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait KeyStore: fmt::Debug + Send + Sync {
    /// The id of the method that this store makes.
    fn id(&self) -> MethodId;

    /// Whether `op.purpose()` would succeed now, without asking the user and without a trace.
    ///
    /// # Errors
    ///
    /// What the operation itself would fail with.
    async fn check(&self, op: &Operation<'_>) -> Result<()>;

    /// Creates `name`. When this returns, `key` is durable.
    ///
    /// The same name with the same bytes is success, so that a lost answer can be repeated.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] if `name` holds other bytes, which stay as they are.
    async fn put(&self, op: &Operation<'_>, name: &KeyName, key: &EncryptionKey) -> Result<()>;

    /// Whether [`put`](Self::put) itself has found `name` as [`get`](Self::get) does, read what it
    /// holds and compared it, whenever it returns `Ok`. Then [`StoredKey`] does not do so again.
    ///
    /// A store that caches what it puts has not read it back.
    fn reads_back(&self) -> bool {
        false
    }

    /// Reads `name`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if there is no such name, [`ErrorKind::Damaged`] if it does not hold
    /// 32 bytes.
    async fn get(&self, op: &Operation<'_>, name: &KeyName) -> Result<EncryptionKey>;

    /// Removes `name`. Absent already is fine.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if the store does not answer.
    async fn delete(&self, op: &Operation<'_>, name: &KeyName) -> Result<()>;

    /// Every name that begins with `prefix`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if the store does not answer.
    async fn list(&self, op: &Operation<'_>, prefix: &KeyPrefix) -> Result<Vec<KeyName>>;
}

/// Forwards every call; a method added to the trait and forgotten here is a lint error.
macro_rules! forward {
    ($($pointer:ty),+) => {$(
        #[cfg_attr(target_family = "wasm", async_trait(?Send))]
        #[cfg_attr(not(target_family = "wasm"), async_trait)]
        #[deny(clippy::missing_trait_methods)]
        impl<T: KeyStore + ?Sized> KeyStore for $pointer {
            fn id(&self) -> MethodId {
                (**self).id()
            }

            async fn check(&self, op: &Operation<'_>) -> Result<()> {
                (**self).check(op).await
            }

            async fn put(
                &self,
                op: &Operation<'_>,
                name: &KeyName,
                key: &EncryptionKey,
            ) -> Result<()> {
                (**self).put(op, name, key).await
            }

            fn reads_back(&self) -> bool {
                (**self).reads_back()
            }

            async fn get(&self, op: &Operation<'_>, name: &KeyName) -> Result<EncryptionKey> {
                (**self).get(op, name).await
            }

            async fn delete(&self, op: &Operation<'_>, name: &KeyName) -> Result<()> {
                (**self).delete(op, name).await
            }

            async fn list(&self, op: &Operation<'_>, prefix: &KeyPrefix) -> Result<Vec<KeyName>> {
                (**self).list(op, prefix).await
            }
        }
    )+};
}

forward!(&T, Arc<T>, Box<T>);

/// The beginning of every name that a store keeps for one client.
///
/// It is a hash, so that a store's listing does not tell who the client is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct KeyPrefix(String);

impl KeyPrefix {
    /// The prefix of the client in `context`.
    #[must_use]
    pub fn of(context: &EncryptionContext) -> Self {
        let facts = Facts::new("portal-backup/1 key name").context(context).finish();
        let digest = Sha256::digest(facts);
        Self(format!("portal-{}-", to_hex(&digest[..8])))
    }

    /// The prefix as text: `portal-`, 16 hexadecimal digits and `-`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of one stored key: the client's prefix, then 128 random bits in hexadecimal.
///
/// 56 characters of `a-z`, `0-9` and `-`: safe as a file name and in a URL.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyName(String);

impl KeyName {
    const RANDOM_LEN: usize = 32;

    /// A name that nothing has yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if the operating system has no randomness.
    pub fn generate(prefix: &KeyPrefix) -> Result<Self> {
        Ok(Self(format!("{}{}", prefix.0, to_hex(&random_bytes::<16>()?))))
    }

    /// Reads a name of the client that `prefix` belongs to; `None` if `name` is anything else.
    #[must_use]
    pub fn parse(prefix: &KeyPrefix, name: &str) -> Option<Self> {
        let random = name.strip_prefix(prefix.as_str())?;
        let hex = random.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (random.len() == Self::RANDOM_LEN && hex).then(|| Self(name.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The backup method that a [`KeyStore`] makes: every enrolment puts a fresh key under a fresh
/// name.
#[derive(Clone, Debug)]
pub struct StoredKey<S>(S);

impl<S: KeyStore> StoredKey<S> {
    /// A method that keeps its wrapping keys in `store`.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self(store)
    }

    /// Puts `key` under `name`, and reads it back if the store has not.
    ///
    /// On an error nothing is deleted: the journal and `held` name what may have stayed, and the
    /// store may have refused because the name belongs to something else.
    async fn put_and_verify(
        &self,
        op: &Operation<'_>,
        name: &KeyName,
        key: &EncryptionKey,
    ) -> Result<()> {
        self.0.put(op, name, key).await?;
        if self.0.reads_back() {
            return Ok(());
        }
        if self.0.get(op, name).await.map_err(not_there_yet)? != *key {
            return Err(damaged("the store does not give back what was put into it"));
        }
        Ok(())
    }
}

/// What was just put and is not to be seen is no reason to try another backup.
fn not_there_yet(error: Error) -> Error {
    if error.kind() != ErrorKind::NotFound {
        return error;
    }
    Error::new(ErrorKind::Unavailable, "the store does not show yet what was put; try again later")
        .with_source(error)
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredKeyParams {
    v: u8,
    name: String,
}

impl StoredKeyParams {
    const VERSION: u8 = 1;

    fn encode(name: &KeyName) -> Result<MethodParams> {
        MethodParams::encode(&Self { v: Self::VERSION, name: name.0.clone() })
    }

    /// A slot of this client names keys of this client only.
    fn decode(op: &Operation<'_>, params: &MethodParams) -> Result<KeyName> {
        let Self { v, name } = params.decode()?;
        if v != Self::VERSION {
            return Err(Error::new(ErrorKind::InvalidParams, "parameters have an unknown version"));
        }
        KeyName::parse(&KeyPrefix::of(op.context()), &name).ok_or_else(|| {
            Error::new(ErrorKind::InvalidParams, "parameters do not name a key of this client")
        })
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl<S: KeyStore> BackupMethod for StoredKey<S> {
    fn id(&self) -> MethodId {
        self.0.id()
    }

    async fn check(&self, op: &Operation<'_>) -> Result<()> {
        self.0.check(op).await
    }

    async fn enroll(&self, op: &Operation<'_>) -> Result<Enrollment> {
        let name = KeyName::generate(&KeyPrefix::of(op.context()))?;
        let params = StoredKeyParams::encode(&name)?;
        let key = EncryptionKey::generate()?;
        op.report(Progress::Stage(Stage::StoringShare));
        op.will_leave(&self.id(), &params)?;
        self.put_and_verify(op, &name, &key).await?;
        Ok(Enrollment { wrapping_key: key.into(), params })
    }

    async fn unlock(&self, op: &Operation<'_>, params: &MethodParams) -> Result<WrappingKey> {
        let name = StoredKeyParams::decode(op, params)?;
        if op.attempt() > 1 {
            return Err(Error::new(
                ErrorKind::Unauthorized,
                "the stored key does not open this backup, and reading it again will not help; \
                 another account may hold the right one",
            ));
        }
        op.report(Progress::Stage(Stage::ReadingShare));
        self.0.get(op, &name).await.map(WrappingKey::from)
    }

    async fn revoke(&self, op: &Operation<'_>, params: &MethodParams) -> Result<()> {
        let name = StoredKeyParams::decode(op, params)?;
        self.0.delete(op, &name).await
    }

    async fn held(&self, op: &Operation<'_>) -> Result<Vec<Held>> {
        let names = self.0.list(op, &KeyPrefix::of(op.context())).await?;
        let held = |name| Ok(Held::new(self.id(), StoredKeyParams::encode(name)?));
        names.iter().map(held).collect()
    }
}
