//! The key store: a keychain, and what its entries are called.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use backup_core::{
    EncryptionKey, Error, ErrorKind, KeyName, KeyPrefix, KeyStore, MethodId, Operation, Result,
    async_trait,
};
use keyring_core::{CredentialPersistence, CredentialStore};

use crate::{
    entries::{Entries, UnlocksItself},
    problem::KeychainProblem,
    system::{self, System},
};

/// A [`KeyStore`] in a keychain: the operating system's, or one that the app brings.
///
/// [`StoredKey`](backup_core::StoredKey) makes a backup method of it.
///
/// <div class="warning">
///
/// **A keychain that stays on the lost device recovers nothing.** This method alone is enough only
/// where the user's keychain is synchronized to other devices, or restored to a new one; the README
/// says which are.
///
/// </div>
///
/// Nothing is connected to before the first call, and a connection that broke is made anew: a
/// keychain that was locked, stopped or started meanwhile is seen as it is. Calls run on threads of
/// their own, one at a time in a process, so the user sees one question of the system at a time. A
/// clone has the same connection.
///
/// # Cancel safety
///
/// If a future is dropped, a call that has begun runs to its end on its own thread. A question that
/// the system asks stays on the screen, and the next call waits until it is answered.
#[derive(Clone)]
pub struct Keychain {
    source: Source,
    label: Arc<str>,
}

#[derive(Clone)]
enum Source {
    /// With the connection, once there is one.
    System(Arc<Mutex<Option<System>>>),
    Given(Arc<CredentialStore>),
}

impl Keychain {
    /// The label of a keychain that was given no other.
    pub const DEFAULT_LABEL: &str = "Wallet backup";

    /// The id of the method: Portal has none of this kind.
    pub const METHOD: &str = "portal.keychain";

    /// The keychain of the user who runs this program: the login keychain of macOS, the Credential
    /// Manager of Windows, the Secret Service elsewhere.
    ///
    /// On iOS and Android there is no such default: see [`with_store`](Self::with_store).
    #[must_use]
    pub fn system() -> Self {
        Self { source: Source::System(Arc::default()), label: Self::DEFAULT_LABEL.into() }
    }

    /// A store that the app brings: the synchronized keychain of Apple's systems, that of Android,
    /// or one of its own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if what is put into it does not last until it is deleted: a
    /// backup would be gone after a reboot. Stores that cannot be searched are refused by every
    /// call, as what a crash left behind could not be found.
    pub fn with_store(store: Arc<CredentialStore>) -> Result<Self> {
        let lost_after = match store.persistence() {
            CredentialPersistence::UntilDelete => {
                return Ok(Self {
                    source: Source::Given(store),
                    label: Self::DEFAULT_LABEL.into(),
                });
            }
            CredentialPersistence::EntryOnly | CredentialPersistence::ProcessOnly => {
                "when the app ends"
            }
            CredentialPersistence::UntilLogout => "when the user logs out",
            CredentialPersistence::UntilReboot => "when the device is restarted",
            _ => "at a time that it does not tell",
        };
        let message = format!(
            "this keychain forgets what it keeps {lost_after}, and the backup would be lost; use \
             one that keeps it until it is deleted"
        );
        Err(KeychainProblem::Forgets.into_error(ErrorKind::Unsupported, message, None))
    }

    /// Shows the entries to the user under `label`, and keeps them apart from those under another.
    ///
    /// An app that keeps other keys in the same keychain, such as that of the device's store, gives
    /// them a label of their own: then they are never taken for what a backup left behind.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if it is not 1 to 64 letters and digits of ASCII, with single
    /// spaces between them.
    ///
    /// # Security
    ///
    /// Choose it once: under another label, earlier keys are not found.
    pub fn with_label(self, label: &str) -> Result<Self> {
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric());
        if label.len() > 64 || !label.split(' ').all(is_word) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "a label is 1 to 64 letters and digits of ASCII, with single spaces between words",
            ));
        }
        Ok(Self { label: label.into(), ..self })
    }

    /// Does `work` on the entries of the client, on a thread of its own; once more if the
    /// connection had broken. So `work` is something that may be repeated.
    async fn on_entries<T: Send + 'static>(
        &self,
        op: &Operation<'_>,
        work: impl Fn(&Entries) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (source, label) = (self.source.clone(), self.label.clone());
        let prefix = KeyPrefix::of(op.context());
        blocking::unblock(move || {
            // One at a time: of two puts of one name in this process, one wins and one is told so,
            // and no two questions of the system are on the screen.
            let _turn = locked(&TURN);
            match source {
                Source::System(connection) => {
                    on_connection(&connection, |System { store, lock }| {
                        work(&Entries::new(&**store, &**lock, &label, &prefix))
                    })
                }
                Source::Given(store) => {
                    work(&Entries::new(&*store, &UnlocksItself, &label, &prefix))
                }
            }
        })
        .await
    }
}

/// Uses the connection that there is, if it still works, or else a new one.
fn on_connection<T>(
    connection: &Mutex<Option<System>>,
    work: impl Fn(&System) -> Result<T>,
) -> Result<T> {
    let mut connection = locked(connection);
    if let Some(system) = connection.take() {
        match work(&system) {
            // A service that was restarted knows nothing of earlier connections.
            Err(error) if error.kind() == ErrorKind::Unavailable => {}
            answer => {
                *connection = Some(system);
                return answer;
            }
        }
    }
    work(connection.insert(system::connect()?))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

static TURN: Mutex<()> = Mutex::new(());

impl fmt::Debug for Keychain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = match &self.source {
            Source::System(_) => "the system's".to_owned(),
            Source::Given(store) => store.vendor(),
        };
        f.debug_struct("Keychain").field("store", &store).field("label", &self.label).finish()
    }
}

#[async_trait]
impl KeyStore for Keychain {
    fn id(&self) -> MethodId {
        MethodId::new(Self::METHOD).expect("a dotted name is canonical")
    }

    /// Whether the keychain answers and can be searched. To enroll and to unlock it may be locked:
    /// the user will be asked. To revoke it may not.
    async fn check(&self, op: &Operation<'_>) -> Result<()> {
        let purpose = op.purpose();
        self.on_entries(op, move |entries| entries.check(purpose)).await
    }

    async fn put(&self, op: &Operation<'_>, name: &KeyName, key: &EncryptionKey) -> Result<()> {
        let (name, key) = (name.clone(), EncryptionKey::copied_from(key.expose()));
        self.on_entries(op, move |entries| entries.put(&name, &key)).await
    }

    async fn get(&self, op: &Operation<'_>, name: &KeyName) -> Result<EncryptionKey> {
        let name = name.clone();
        self.on_entries(op, move |entries| entries.get(&name)).await
    }

    async fn delete(&self, op: &Operation<'_>, name: &KeyName) -> Result<()> {
        let name = name.clone();
        self.on_entries(op, move |entries| entries.delete(&name)).await
    }

    async fn list(&self, op: &Operation<'_>, prefix: &KeyPrefix) -> Result<Vec<KeyName>> {
        let prefix = prefix.clone();
        self.on_entries(op, move |entries| entries.list(&prefix)).await
    }
}
