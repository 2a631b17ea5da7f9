//! The keys that a service works with.

use std::sync::Arc;

use backup_core::{Error, ErrorKind, KeyEncryption, Result};

use crate::{KeyCheck, error::invalid_input};

/// The providers of a service: active ones wrap and unwrap, retired ones only unwrap.
///
/// What is sealed is wrapped under every active key, so that losing all but one loses nothing.
/// To rotate, make the new key active and the old one retired, rewrap, then leave the old one out.
#[derive(Clone, Debug)]
pub struct KeyRing {
    active: Vec<Arc<dyn KeyEncryption>>,
    retired: Vec<Arc<dyn KeyEncryption>>,
}

impl KeyRing {
    /// The most keys that can be active.
    pub const MAX_ACTIVE: usize = 8;

    /// The longest id of a key, in bytes.
    pub const MAX_KEY_ID_LEN: usize = 2048;

    /// A ring of active keys.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for none or more than [`MAX_ACTIVE`](Self::MAX_ACTIVE), for two
    /// of one id, or an id that is not 1 to [`MAX_KEY_ID_LEN`](Self::MAX_KEY_ID_LEN) bytes of
    /// visible ASCII.
    pub fn new(active: impl IntoIterator<Item = Arc<dyn KeyEncryption>>) -> Result<Self> {
        let active: Vec<_> = active.into_iter().collect();
        if active.is_empty() || active.len() > Self::MAX_ACTIVE {
            return Err(invalid_input("configure 1 to 8 active keys"));
        }
        Self { active, retired: Vec::new() }.checked()
    }

    /// Adds keys that still unwrap, but wrap nothing new.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new); any number is fine.
    pub fn with_retired(
        mut self,
        retired: impl IntoIterator<Item = Arc<dyn KeyEncryption>>,
    ) -> Result<Self> {
        self.retired.extend(retired);
        self.checked()
    }

    /// Proves that every key that `checks` name is here, is the right one, and works.
    ///
    /// A server does this before it serves: a key that is missing or was swapped is found then, and
    /// not when the first user has lost a device.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for a key that is not configured, otherwise those of
    /// [`KeyCheck::verify`].
    pub async fn verify(&self, checks: &[KeyCheck]) -> Result<()> {
        for check in checks {
            let provider = self.provider(check.key_id()).ok_or_else(|| missing(check.key_id()))?;
            check.verify(provider).await?;
        }
        Ok(())
    }

    /// The key of this id, active or retired.
    #[must_use]
    pub fn provider(&self, key_id: &str) -> Option<&dyn KeyEncryption> {
        self.all().find(|provider| provider.key_id() == key_id)
    }

    /// The keys under which new things are wrapped.
    pub fn active(&self) -> impl Iterator<Item = &dyn KeyEncryption> {
        self.active.iter().map(AsRef::as_ref)
    }

    fn all(&self) -> impl Iterator<Item = &dyn KeyEncryption> {
        self.active.iter().chain(&self.retired).map(AsRef::as_ref)
    }

    fn checked(self) -> Result<Self> {
        let mut ids: Vec<_> = self.all().map(KeyEncryption::key_id).collect();
        if let Some(id) = ids.iter().find(|id| !is_key_id(id)) {
            return Err(invalid_input(format!(
                "the key id {id:?} is not 1 to 2048 bytes of visible ASCII"
            )));
        }
        ids.sort_unstable();
        if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(invalid_input(format!("the key {} is configured twice", pair[0])));
        }
        Ok(self)
    }
}

pub(crate) fn is_key_id(id: &str) -> bool {
    (1..=KeyRing::MAX_KEY_ID_LEN).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic())
}

fn missing(key_id: &str) -> Error {
    let message = format!(
        "the key {key_id} is in use and not configured; configure it, or restore it from its copy"
    );
    Error::new(ErrorKind::NotFound, message)
}
