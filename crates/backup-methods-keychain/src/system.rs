//! The keychain that the operating system gives its user.

use std::sync::Arc;

use keyring_core::CredentialStore;

#[cfg(not(all(unix, not(any(target_vendor = "apple", target_os = "android")))))]
pub(crate) use self::others::connect;
#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
pub(crate) use self::secret_service_api::connect;
use crate::entries::Lock;

/// A connection to it.
pub(crate) struct System {
    pub(crate) store: Arc<CredentialStore>,
    pub(crate) lock: Box<dyn Lock>,
}

#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
mod secret_service_api {
    //! Linux and the BSDs.

    use std::sync::OnceLock;

    use backup_core::Result;
    use secret_service::{
        EncryptionType, Error as ServiceError,
        blocking::{Collection, SecretService},
    };
    use zbus_secret_service_keyring_store::{Store, errors::decode_error};

    use super::System;
    use crate::{entries::Lock, error::translate};

    pub(crate) fn connect() -> Result<System> {
        let lock = Box::new(DefaultKeyring(OnceLock::new()));
        Ok(System { store: Store::new().map_err(translate)?, lock })
    }

    /// That of the keyring in which entries are created, by a connection of its own: the store
    /// shares none. It is made when it is first needed.
    struct DefaultKeyring(OnceLock<SecretService<'static>>);

    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method is of one lifetime, and the closure of all"
    )]
    impl Lock for DefaultKeyring {
        fn is_locked(&self) -> Result<bool> {
            self.ask(|keyring| keyring.is_locked())
        }

        fn unlock(&self) -> Result<()> {
            self.ask(|keyring| keyring.unlock().map(|()| true)).map(drop)
        }
    }

    impl DefaultKeyring {
        /// False if there is no default keyring.
        fn ask(&self, ask: impl Fn(&Collection<'_>) -> Result<bool, ServiceError>) -> Result<bool> {
            let asked = || match self.connected()?.get_default_collection() {
                Err(ServiceError::NoResult) => Ok(false),
                keyring => ask(&keyring?),
            };
            asked().map_err(|error| translate(decode_error(error)))
        }

        fn connected(&self) -> Result<&SecretService<'static>, ServiceError> {
            match self.0.get() {
                Some(service) => Ok(service),
                // No secret passes here, and so none is encrypted.
                None => SecretService::connect(EncryptionType::Plain)
                    .map(|service| self.0.get_or_init(|| service)),
            }
        }
    }
}

#[cfg(not(all(unix, not(any(target_vendor = "apple", target_os = "android")))))]
mod others {
    //! Systems whose keychain unlocks itself when it is called, and those that have none.

    use backup_core::Result;

    use super::System;
    #[cfg(any(target_os = "macos", windows))]
    use crate::{entries::UnlocksItself, error::translate};

    #[cfg(target_os = "macos")]
    pub(crate) fn connect() -> Result<System> {
        let store = apple_native_keyring_store::keychain::Store::new().map_err(translate)?;
        Ok(System { store, lock: Box::new(UnlocksItself) })
    }

    #[cfg(windows)]
    pub(crate) fn connect() -> Result<System> {
        let store = windows_native_keyring_store::Store::new().map_err(translate)?;
        Ok(System { store, lock: Box::new(UnlocksItself) })
    }

    #[cfg(not(any(target_os = "macos", windows)))]
    pub(crate) fn connect() -> Result<System> {
        Err(backup_core::Error::new(
            backup_core::ErrorKind::Unsupported,
            "this system has no keychain by default; the app has to bring one",
        ))
    }
}
