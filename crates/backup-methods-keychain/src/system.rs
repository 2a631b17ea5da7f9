//! The keychain that the operating system gives its user.

#[cfg(not(all(unix, not(any(target_vendor = "apple", target_os = "android")))))]
pub(crate) use self::others::{LOCK, connect};
#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
pub(crate) use self::secret_service_api::{LOCK, connect};

#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
mod secret_service_api {
    //! Linux and the BSDs.

    use std::sync::Arc;

    use backup_core::Result;
    use keyring_core::CredentialStore;
    use secret_service::{
        EncryptionType, Error as ServiceError,
        blocking::{Collection, SecretService},
    };
    use zbus_secret_service_keyring_store::{Store, errors::decode_error};

    use crate::{entries::Lock, error::translate};

    pub(crate) fn connect() -> Result<Arc<CredentialStore>> {
        Ok(Store::new().map_err(translate)?)
    }

    /// Of the keyring in which entries are created.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method is of one lifetime, and the closure of all"
    )]
    pub(crate) const LOCK: Lock = Lock {
        is_locked: || on_default(|keyring| keyring.is_locked()),
        unlock: || on_default(|keyring| keyring.unlock().map(|()| true)).map(drop),
    };

    /// False if there is no default keyring.
    fn on_default(ask: impl Fn(&Collection<'_>) -> Result<bool, ServiceError>) -> Result<bool> {
        let asked = || {
            // No secret passes here, and so none is encrypted.
            let service = SecretService::connect(EncryptionType::Plain)?;
            match service.get_default_collection() {
                Err(ServiceError::NoResult) => Ok(false),
                keyring => ask(&keyring?),
            }
        };
        asked().map_err(|error| translate(decode_error(error)))
    }
}

#[cfg(not(all(unix, not(any(target_vendor = "apple", target_os = "android")))))]
mod others {
    //! Systems whose keychain unlocks itself when it is called, and those that have none.

    use std::sync::Arc;

    use backup_core::Result;
    use keyring_core::CredentialStore;

    pub(crate) use crate::keychain::UNLOCKS_ITSELF as LOCK;

    #[cfg(target_os = "macos")]
    pub(crate) fn connect() -> Result<Arc<CredentialStore>> {
        Ok(apple_native_keyring_store::keychain::Store::new().map_err(crate::error::translate)?)
    }

    #[cfg(windows)]
    pub(crate) fn connect() -> Result<Arc<CredentialStore>> {
        Ok(windows_native_keyring_store::Store::new().map_err(crate::error::translate)?)
    }

    #[cfg(not(any(target_os = "macos", windows)))]
    pub(crate) fn connect() -> Result<Arc<CredentialStore>> {
        Err(backup_core::Error::new(
            backup_core::ErrorKind::Unsupported,
            "this system has no keychain by default; the app has to bring one",
        ))
    }
}
