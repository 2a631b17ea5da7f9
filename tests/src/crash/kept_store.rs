//! Stores that are not on the device's disk: what they keep outlasts the process, as another
//! machine or another program does.

use std::{fmt, io, sync::Arc};

use backup_core::{
    EncryptionKey, Error, ErrorKind, KeyName, KeyPrefix, KeyStore, MethodId, Operation, Result,
    async_trait,
};

use super::{
    folder_store::FolderStore,
    recorder::{Effect, Recorder},
};

/// Such a store, as far as this process knows.
pub trait Kept: fmt::Debug + Send + Sync {
    /// Lets the world's folder of keys show what is kept. To be called before each point at which
    /// the process may die, and before it ends.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    fn keep(&self) -> io::Result<()>;
}

/// A store whose calls are effects, before them and after, under the id that scenarios know.
pub struct Watched<S> {
    store: S,
    kept: Arc<dyn Kept>,
    recorder: Arc<Recorder>,
}

impl<S: KeyStore> Watched<S> {
    /// Watches `store`, whose keys `kept` keeps.
    #[must_use]
    pub fn new(store: S, kept: Arc<dyn Kept>, recorder: Arc<Recorder>) -> Self {
        Self { store, kept, recorder }
    }

    fn effect(&self, name: &str) -> Result<()> {
        before(&*self.kept, &self.recorder, name)
    }
}

/// A point at which the process may die.
pub(super) fn before(kept: &dyn Kept, recorder: &Recorder, name: &str) -> Result<()> {
    let lived = kept.keep().and_then(|()| recorder.before(&Effect::Other(name.to_owned())));
    lived.map_err(|error| {
        Error::new(ErrorKind::Unavailable, "the harness failed").with_source(error)
    })
}

#[async_trait]
impl<S: KeyStore> KeyStore for Watched<S> {
    fn id(&self) -> MethodId {
        FolderStore::method_id()
    }

    async fn check(&self, op: &Operation<'_>) -> Result<()> {
        self.effect("check the store")?;
        self.store.check(op).await
    }

    async fn put(&self, op: &Operation<'_>, name: &KeyName, key: &EncryptionKey) -> Result<()> {
        self.effect("put a key")?;
        let done = self.store.put(op, name, key).await;
        self.effect("have put a key")?;
        done
    }

    fn reads_back(&self) -> bool {
        self.store.reads_back()
    }

    async fn get(&self, op: &Operation<'_>, name: &KeyName) -> Result<EncryptionKey> {
        self.effect("get a key")?;
        self.store.get(op, name).await
    }

    async fn delete(&self, op: &Operation<'_>, name: &KeyName) -> Result<()> {
        self.effect("delete a key")?;
        let done = self.store.delete(op, name).await;
        self.effect("have deleted a key")?;
        done
    }

    async fn list(&self, op: &Operation<'_>, prefix: &KeyPrefix) -> Result<Vec<KeyName>> {
        self.effect("list keys")?;
        self.store.list(op, prefix).await
    }
}

impl<S> fmt::Debug for Watched<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("kept", &self.kept).finish_non_exhaustive()
    }
}
