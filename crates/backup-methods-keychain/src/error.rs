//! What a keychain fails with, as what the caller can do next.

use backup_core::{Error, ErrorKind};
use keyring_core::Error as KeyringError;
use zeroize::Zeroize;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Sorts an error. Bytes that it carries may be of a secret, and are wiped.
pub(crate) fn translate(error: KeyringError) -> Error {
    let (kind, message) = match error {
        KeyringError::NoEntry => (ErrorKind::NotFound, "the entry is not in this keychain".into()),
        KeyringError::NoStorageAccess(source) | KeyringError::PlatformFailure(source) => {
            return of_system(source);
        }
        KeyringError::BadEncoding(mut bytes) | KeyringError::BadDataFormat(mut bytes, _) => {
            bytes.zeroize();
            (ErrorKind::Damaged, "the keychain's entry is not what was put there".into())
        }
        KeyringError::BadStoreFormat(_) => {
            (ErrorKind::Damaged, "the keychain itself is damaged; restore a copy of it".into())
        }
        KeyringError::TooLong(what, limit) => (
            ErrorKind::Unsupported,
            format!("this keychain takes no {what} longer than {limit}; use another one"),
        ),
        KeyringError::Invalid(what, _) => {
            (ErrorKind::Unsupported, format!("this keychain refuses the {what}; use another one"))
        }
        KeyringError::NotSupportedByStore(_) => (
            ErrorKind::Unsupported,
            "this keychain cannot be searched, and what a crash left in it would not be found; use \
             another one"
                .into(),
        ),
        _ => (ErrorKind::Unavailable, "the keychain gives no clear answer; try again later".into()),
    };
    Error::new(kind, message)
}

/// Of the system's own words, those that are understood.
fn of_system(source: Source) -> Error {
    let (kind, message) = in_words(&source);
    Error::new(kind, message).with_source(source)
}

#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
fn in_words(source: &Source) -> (ErrorKind, &'static str) {
    use secret_service::Error as ServiceError;

    match source.downcast_ref() {
        Some(ServiceError::Prompt) => (
            ErrorKind::Cancelled,
            "the keychain stays locked: the question to unlock it was declined, or there is no \
             screen to ask it on; unlock it and try again",
        ),
        Some(ServiceError::Locked) => {
            (ErrorKind::Unavailable, "the keychain is locked; unlock it and try again")
        }
        Some(ServiceError::NoResult) => (
            ErrorKind::Unavailable,
            "the keychain has no default keyring; make one in the system's password manager",
        ),
        Some(ServiceError::Unavailable) => (ErrorKind::Unavailable, NO_SERVICE),
        Some(ServiceError::Zbus(error)) => by_name(&error.to_string()),
        Some(ServiceError::ZbusFdo(error)) => by_name(&error.to_string()),
        _ => (ErrorKind::Unavailable, NO_ANSWER),
    }
}

/// Errors of D-Bus have names that its specification defines.
#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
fn by_name(error: &str) -> (ErrorKind, &'static str) {
    let message = if error.contains("org.freedesktop.DBus.Error.AccessDenied") {
        "this program is not allowed to ask for the keychain; a sandbox or the policy of the \
         session's bus forbids it"
    } else if error.contains("org.freedesktop.DBus.Error.ServiceUnknown") {
        NO_SERVICE
    } else {
        NO_ANSWER
    };
    (ErrorKind::Unavailable, message)
}

#[cfg(not(all(unix, not(any(target_vendor = "apple", target_os = "android")))))]
fn in_words(_: &Source) -> (ErrorKind, &'static str) {
    (ErrorKind::Unavailable, NO_ANSWER)
}

#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
const NO_SERVICE: &str = "no keychain runs in this session; start one, such as gnome-keyring, \
                          KWallet or KeePassXC, and try again";
const NO_ANSWER: &str = "the keychain does not answer or gives no access; unlock it and try again";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_to_do_next_and_repeat_no_secret() {
        let secret = || b"hunter2".to_vec();
        let source = || -> Source { "the disk is gone".into() };
        for (error, kind) in [
            (KeyringError::NoEntry, ErrorKind::NotFound),
            (KeyringError::NoStorageAccess(source()), ErrorKind::Unavailable),
            (KeyringError::PlatformFailure(source()), ErrorKind::Unavailable),
            (KeyringError::NoDefaultStore, ErrorKind::Unavailable),
            (KeyringError::BadEncoding(secret()), ErrorKind::Damaged),
            (KeyringError::BadDataFormat(secret(), source()), ErrorKind::Damaged),
            (KeyringError::BadStoreFormat("no header".into()), ErrorKind::Damaged),
            (KeyringError::TooLong("secret".into(), 16), ErrorKind::Unsupported),
            (KeyringError::Invalid("user".into(), "too odd".into()), ErrorKind::Unsupported),
            (KeyringError::NotSupportedByStore("search".into()), ErrorKind::Unsupported),
        ] {
            let (error, shown) = (translate(error), format!("{:?}", secret()));
            assert_eq!(error.kind(), kind, "{error}");
            let text = format!("{error} {error:?}");
            assert!(!text.contains("hunter2") && !text.contains(&shown), "{text}");
        }
    }
}
