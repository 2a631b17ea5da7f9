//! A key store in memory.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use backup_core::{
    EncryptionKey, Error, ErrorKind, KeyName, KeyPrefix, KeyStore, MethodId, Operation, Result,
    async_trait,
};

use crate::{drops::yield_now, record::lock};

/// A [`KeyStore`] in memory. A clone is another handle to the same store, as on a new device.
///
/// It gives way before and after each effect, so a future dropped at every await point meets both.
#[derive(Clone)]
pub struct MemoryStore {
    id: MethodId,
    keys: Arc<Mutex<BTreeMap<String, EncryptionKey>>>,
}

impl MemoryStore {
    /// An empty store, whose method is `com.example.memory`.
    #[must_use]
    pub fn new() -> Self {
        let id = MethodId::new("com.example.memory").expect("a dotted name is canonical");
        Self::with_id(id)
    }

    /// An empty store for a method of another name.
    #[must_use]
    pub fn with_id(id: MethodId) -> Self {
        Self { id, keys: Arc::default() }
    }

    /// How many keys it keeps, whoever they belong to.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.keys).len()
    }

    /// Whether it keeps nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("id", &self.id)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl KeyStore for MemoryStore {
    fn id(&self) -> MethodId {
        self.id.clone()
    }

    async fn check(&self, _: &Operation<'_>) -> Result<()> {
        yield_now().await;
        Ok(())
    }

    async fn put(&self, _: &Operation<'_>, name: &KeyName, key: &EncryptionKey) -> Result<()> {
        yield_now().await;
        self.create(name, key)?;
        yield_now().await;
        Ok(())
    }

    async fn get(&self, _: &Operation<'_>, name: &KeyName) -> Result<EncryptionKey> {
        yield_now().await;
        let keys = lock(&self.keys);
        let key = keys.get(name.as_str()).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the key is not in this store; try another backup")
        })?;
        Ok(EncryptionKey::copied_from(key.expose()))
    }

    async fn delete(&self, _: &Operation<'_>, name: &KeyName) -> Result<()> {
        yield_now().await;
        lock(&self.keys).remove(name.as_str());
        yield_now().await;
        Ok(())
    }

    async fn list(&self, _: &Operation<'_>, prefix: &KeyPrefix) -> Result<Vec<KeyName>> {
        yield_now().await;
        Ok(lock(&self.keys).keys().filter_map(|name| KeyName::parse(prefix, name)).collect())
    }
}

impl MemoryStore {
    fn create(&self, name: &KeyName, key: &EncryptionKey) -> Result<()> {
        let mut keys = lock(&self.keys);
        match keys.get(name.as_str()) {
            None => {
                keys.insert(name.as_str().to_owned(), EncryptionKey::copied_from(key.expose()));
                Ok(())
            }
            Some(stored) if stored.expose() == key.expose() => Ok(()),
            Some(_) => Err(Error::new(ErrorKind::Conflict, "the name is taken by another key")),
        }
    }
}
