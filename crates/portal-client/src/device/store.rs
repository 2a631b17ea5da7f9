//! The device's store of one client: an encrypted state, a journal, and one operation at a time.

use std::{
    fmt,
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use backup_core::{DataKey, EncryptionContext, Error, ErrorKind, Result};
use subtle::ConstantTimeEq;

use super::{
    codec::damaged,
    effects::lock_file,
    files::{Replaceable, unavailable},
    journal::Journal,
    sealed_file::{self, Kind, file_name},
    state::DeviceState,
};
use crate::effect::{EffectObserver, Effects};

/// Where a device keeps what it has of one client.
///
/// The app gives a folder that exists and is durable, and a key that it keeps elsewhere: in the
/// system's keychain, or derived of a passphrase. Nothing is read or written before an operation
/// begins.
pub struct DeviceStore {
    folder: PathBuf,
    name: String,
    client: EncryptionContext,
    key: DataKey,
    effects: Effects,
    at_least: AtomicU64,
}

impl DeviceStore {
    /// The store of `client` in `folder`, under `key`.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, client: EncryptionContext, key: DataKey) -> Self {
        let name = file_name(&client);
        let (effects, at_least) = (Effects::default(), AtomicU64::new(0));
        Self { folder: folder.into(), name, client, key, effects, at_least }
    }

    /// Tells `observer` of every effect on files before it happens.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn EffectObserver>) -> Self {
        Self { effects: Effects::observed_by(observer), ..self }
    }

    /// Refuses a state older than one that the app has seen, by [`DeviceState::generation`].
    ///
    /// A store remembers the newest state that it has seen itself. An older copy of the whole
    /// folder, restored between two runs of the app, is noticed only by this.
    #[must_use]
    pub fn expecting_generation(self, generation: u64) -> Self {
        Self { at_least: AtomicU64::new(generation), ..self }
    }

    /// Begins an operation; waits, and blocks the thread, while another one is going on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] for another key, [`ErrorKind::Damaged`],
    /// [`ErrorKind::UnknownVersion`], or [`ErrorKind::Unavailable`] if the disk fails.
    pub fn begin(&self) -> Result<WalletOperation<'_>> {
        let lock = self.lock_file()?;
        lock.lock().map_err(|error| unavailable("lock", error))?;
        self.begin_locked(lock)
    }

    /// Begins an operation, unless another one is going on.
    ///
    /// # Errors
    ///
    /// As for [`begin`](Self::begin), and [`ErrorKind::Unavailable`] while another operation is
    /// going on, in this process or another.
    pub fn try_begin(&self) -> Result<WalletOperation<'_>> {
        self.begin_unless_busy()?.ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                "another operation with this wallet is going on; try again when it is done",
            )
        })
    }

    /// Begins an operation; `None` while another one is going on.
    pub(crate) fn begin_unless_busy(&self) -> Result<Option<WalletOperation<'_>>> {
        let lock = self.lock_file()?;
        match lock.try_lock() {
            Ok(()) => self.begin_locked(lock).map(Some),
            Err(TryLockError::Error(error)) => Err(unavailable("lock", error)),
            Err(TryLockError::WouldBlock) => Ok(None),
        }
    }

    /// Whose store it is.
    #[must_use]
    pub fn client(&self) -> &EncryptionContext {
        &self.client
    }

    fn lock_file(&self) -> Result<File> {
        let path = self.folder.join(format!("{}.lock", self.name));
        lock_file(&path).map_err(|error| unavailable("lock", error))
    }

    fn begin_locked(&self, lock: File) -> Result<WalletOperation<'_>> {
        let file = self.file("state");
        let state = match file.read_durably()? {
            Some(bytes) => self.decrypt(&bytes)?,
            None => DeviceState::default(),
        };
        let expected = self.at_least.fetch_max(state.generation(), Ordering::AcqRel);
        if state.generation() < expected {
            return Err(older_state());
        }
        let journal = Journal::open(self.file("journal"), &self.key, &self.client)?;
        Ok(WalletOperation { store: self, state, is_stale: false, file, journal, _lock: lock })
    }

    fn decrypt(&self, bytes: &[u8]) -> Result<DeviceState> {
        let plaintext = sealed_file::open(Kind::State, &self.key, &self.client, bytes)?;
        DeviceState::decode(&plaintext)
    }

    fn file(&self, ending: &str) -> Replaceable {
        let name = format!("{}.{ending}", self.name);
        Replaceable::new(&self.folder, &name, self.effects.clone())
    }
}

impl fmt::Debug for DeviceStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder: &Path = &self.folder;
        f.debug_struct("DeviceStore")
            .field("folder", &folder)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// The one operation that is going on with a client's wallets; the next begins when it is dropped.
pub struct WalletOperation<'a> {
    store: &'a DeviceStore,
    state: DeviceState,
    is_stale: bool,
    file: Replaceable,
    journal: Journal<'a>,
    _lock: File,
}

impl<'a> WalletOperation<'a> {
    /// What the device keeps, durable.
    #[must_use]
    pub fn state(&self) -> &DeviceState {
        &self.state
    }

    /// The journal of the client's backups.
    #[must_use]
    pub fn journal(&self) -> &Journal<'a> {
        &self.journal
    }

    /// Changes what the device keeps: durably when this returns, whole or not at all before.
    ///
    /// # Errors
    ///
    /// What `change` returns; nothing has changed then. [`ErrorKind::Unavailable`] or
    /// [`ErrorKind::Damaged`] if the disk fails: whether the old or the new state stands is seen
    /// by beginning the operation again, and further updates of this one fail.
    pub fn update(&mut self, change: impl FnOnce(&mut DeviceState) -> Result<()>) -> Result<()> {
        if self.is_stale {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "an earlier write failed; begin the operation again",
            ));
        }
        let mut next = self.state.next()?;
        change(&mut next)?;
        self.is_stale = true;
        self.write(&next)?;
        self.is_stale = false;
        self.store.at_least.fetch_max(next.generation(), Ordering::AcqRel);
        self.state = next;
        Ok(())
    }

    /// Removes all that the device keeps of this client. Its wallets are then on no device: only a
    /// backup brings them back.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if the disk fails.
    pub fn erase(self) -> Result<()> {
        self.file.remove()?;
        self.journal.erase()?;
        self.store.at_least.store(0, Ordering::Release);
        Ok(())
    }

    fn write(&self, next: &DeviceState) -> Result<()> {
        let plaintext = next.encode();
        let (key, client) = (&self.store.key, &self.store.client);
        let bytes = sealed_file::seal(Kind::State, key, client, &plaintext)?;
        self.file.replace(&bytes, |read| {
            let opened = sealed_file::open(Kind::State, key, client, read)?;
            let is_same = bool::from(opened.as_slice().ct_eq(plaintext.as_slice()));
            if is_same { Ok(()) } else { Err(damaged()) }
        })
    }
}

impl fmt::Debug for WalletOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WalletOperation").field("state", &self.state).finish_non_exhaustive()
    }
}

fn older_state() -> Error {
    Error::new(
        ErrorKind::Damaged,
        "what the device keeps is older than what was seen before; recover from a backup",
    )
}
