//! What a keychain fails with, as what the caller can do next.

use backup_core::{Error, ErrorKind};
use keyring_core::Error as KeyringError;
use zeroize::Zeroize;

use crate::problem::{KeychainProblem, Source};

/// Sorts an error. Bytes that it carries may be of a secret, and are wiped.
pub(crate) fn translate(error: KeyringError) -> Error {
    let (kind, message) = match error {
        KeyringError::NoEntry => (ErrorKind::NotFound, "the entry is not in this keychain"),
        KeyringError::NoStorageAccess(source) | KeyringError::PlatformFailure(source) => {
            return of_system(source);
        }
        KeyringError::BadEncoding(mut bytes) | KeyringError::BadDataFormat(mut bytes, _) => {
            bytes.zeroize();
            (ErrorKind::Damaged, "the keychain's entry is not what was put there")
        }
        KeyringError::BadStoreFormat(_) => {
            (ErrorKind::Damaged, "the keychain itself is damaged; restore a copy of it")
        }
        KeyringError::TooLong(what, limit) => {
            let message =
                format!("this keychain takes no {what} longer than {limit}; use another one");
            return KeychainProblem::TooLong.into_error(ErrorKind::Unsupported, message, None);
        }
        KeyringError::Invalid(what, _) => {
            let message = format!("this keychain refuses the {what}; use another one");
            return Error::new(ErrorKind::Unsupported, message);
        }
        KeyringError::NotSupportedByStore(_) => {
            let message = "this keychain cannot be searched, and what a crash left in it would not \
                           be found; use another one";
            let kind = ErrorKind::Unsupported;
            return KeychainProblem::NotSearchable.into_error(kind, message, None);
        }
        _ => (ErrorKind::Unavailable, "the keychain gives no clear answer; try again later"),
    };
    Error::new(kind, message)
}

/// Of the system's own words, those that are understood.
fn of_system(source: Source) -> Error {
    let Some((problem, message)) = in_words(&source) else {
        return Error::new(ErrorKind::Unavailable, NO_ANSWER).with_source(source);
    };
    let kind = match problem {
        KeychainProblem::Declined => ErrorKind::Cancelled,
        _ => ErrorKind::Unavailable,
    };
    problem.into_error(kind, message, Some(source))
}

#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
fn in_words(source: &Source) -> Option<(KeychainProblem, &'static str)> {
    use secret_service::Error as ServiceError;

    Some(match source.downcast_ref()? {
        ServiceError::Prompt => (
            KeychainProblem::Declined,
            "the keychain stays locked: the question to unlock it was declined, or there is no \
             screen to ask it on; unlock it and try again",
        ),
        ServiceError::Locked => {
            (KeychainProblem::Locked, "the keychain is locked; unlock it and try again")
        }
        ServiceError::NoResult => (
            KeychainProblem::NoKeyring,
            "the keychain has no default keyring; make one in the system's password manager",
        ),
        ServiceError::Unavailable => (KeychainProblem::NoService, NO_SERVICE),
        ServiceError::Zbus(error) => return by_name(&error.to_string()),
        ServiceError::ZbusFdo(error) => return by_name(&error.to_string()),
        _ => return None,
    })
}

/// Errors of D-Bus have names that its specification defines.
#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
fn by_name(error: &str) -> Option<(KeychainProblem, &'static str)> {
    if error.contains("org.freedesktop.DBus.Error.AccessDenied") {
        let message = "this program is not allowed to ask for the keychain; a sandbox or the \
                       policy of the session's bus forbids it";
        return Some((KeychainProblem::Denied, message));
    }
    let is_absent = error.contains("org.freedesktop.DBus.Error.ServiceUnknown");
    is_absent.then_some((KeychainProblem::NoService, NO_SERVICE))
}

#[cfg(not(all(unix, not(any(target_vendor = "apple", target_os = "android")))))]
fn in_words(_: &Source) -> Option<(KeychainProblem, &'static str)> {
    None
}

#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
const NO_SERVICE: &str = "no keychain runs in this session; start one, such as gnome-keyring, \
                          KWallet or KeePassXC, and try again";
const NO_ANSWER: &str = "the keychain does not answer or gives no access; unlock it and try again";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keychain_without_room_for_a_key_or_a_search_is_told_from_others() {
        for (error, problem) in [
            (KeyringError::TooLong("secret".into(), 16), Some(KeychainProblem::TooLong)),
            (
                KeyringError::NotSupportedByStore("search".into()),
                Some(KeychainProblem::NotSearchable),
            ),
            (KeyringError::NoEntry, None),
        ] {
            assert_eq!(KeychainProblem::of(&translate(error)), problem);
        }
    }

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
