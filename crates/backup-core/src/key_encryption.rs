//! Key encryption by an outside party: a KMS, an HSM, a key file.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;

use crate::{DataKey, Result};

/// Wraps and unwraps 32 bytes under a key that never leaves its provider.
///
/// This is how a service keeps custodian shares: a fresh [`DataKey`] encrypts the share, and one or
/// more providers wrap the data key.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait KeyEncryption: fmt::Debug + Send + Sync {
    /// Names the provider and its key, so that a wrapped key is given back to the one that made it.
    fn key_id(&self) -> &str;

    /// Wraps `key`, bound to `context`.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if the provider does not answer.
    async fn wrap(&self, key: &DataKey, context: &KeyContext) -> Result<Vec<u8>>;

    /// Unwraps what [`wrap`](Self::wrap) made with the same context.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](crate::ErrorKind::Unauthorized) for another key, another context or
    /// tampering; [`Unavailable`](crate::ErrorKind::Unavailable) if the provider does not answer.
    async fn unwrap(&self, wrapped: &[u8], context: &KeyContext) -> Result<DataKey>;
}

/// The public facts, by name, that a wrapped key is bound to. A KMS may log them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KeyContext(BTreeMap<&'static str, String>);

impl KeyContext {
    /// No facts yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fact; the last of a name counts.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.insert(name, value.into());
        self
    }

    /// The facts in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }
}
