//! Where sealed values are kept.

use std::fmt;

use async_trait::async_trait;

/// What a value is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// A custodian's half.
    Half,
    /// A user's ciphertext.
    CipherText,
}

impl Kind {
    /// How a database says it.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Half => "HALF",
            Self::CipherText => "CIPHER_TEXT",
        }
    }

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn of(text: &str) -> Option<Self> {
        [Self::Half, Self::CipherText].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// To what a value belongs.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Place {
    /// What it is.
    pub kind: Kind,
    /// The client.
    pub client: String,
    /// The backup method, as it is named on the wire.
    pub method: String,
    /// The backup share pair; empty, where Portal's older bodies name none.
    pub pair: String,
}

/// A sealed value and where it belongs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Kept {
    /// Where it belongs.
    pub place: Place,
    /// The value. It is encrypted, and may be stored as it is.
    pub sealed: Vec<u8>,
}

/// A sealed value, by the number under which a store has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Numbered {
    /// The number. It stays for as long as the value does, and no other value has it meanwhile.
    pub number: u64,
    /// The value.
    pub kept: Kept,
}

/// A value that is to be sealed otherwise.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resealed {
    /// Its number.
    pub number: u64,
    /// As it was read.
    pub before: Vec<u8>,
    /// As it is to be.
    pub after: Vec<u8>,
}

/// The store failed.
#[derive(Debug, thiserror::Error)]
#[error("the store failed: {0}")]
pub struct StoreError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl StoreError {
    /// For this reason, which holds no secret.
    #[must_use]
    pub fn new(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(reason.into())
    }
}

/// What an app stores sealed values in, if not in [`SqliteStore`](crate::SqliteStore).
///
/// Each call is one transaction, and durable when it returns.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Adds a value to a place as its newest. Those that are there stay.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: then nothing was added.
    async fn add(&self, kept: &Kept) -> Result<(), StoreError>;

    /// All values of a client, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn all(&self, kind: Kind, client: &str) -> Result<Vec<Kept>, StoreError>;

    /// Destroys all values of a pair of a client.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: then nothing was destroyed.
    async fn erase(&self, client: &str, pair: &str) -> Result<(), StoreError>;

    /// At most `most` values of everybody, in the order of their numbers, after the number `after`.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn after(&self, after: u64, most: u32) -> Result<Vec<Numbered>, StoreError>;

    /// Seals values otherwise, each if it is still there and as it was read. How many it did.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: then all are as they were.
    async fn reseal(&self, values: &[Resealed]) -> Result<u64, StoreError>;

    /// Whether this is the first time that a request has this id, which is remembered until then
    /// (seconds since 1970). What is over at `now` is forgotten.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn is_first(&self, id: &str, until: u64, now: u64) -> Result<bool, StoreError>;
}
