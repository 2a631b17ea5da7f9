//! What an error of a token means for whoever asked.

use backup_core::{Error, ErrorKind};
use cryptoki::error::{Error as Cryptoki, RvError};

use super::does_not_unwrap;

pub(super) fn of_wrap(error: Cryptoki) -> Error {
    unavailable("the token does not wrap; see to it that it works, and try again", error)
}

/// Modules answer a wrong tag as they like: `SoftHSM` with a general error.
pub(super) fn of_unwrap(error: Cryptoki) -> Error {
    match error {
        Cryptoki::Pkcs11(
            RvError::DataInvalid
            | RvError::DataLenRange
            | RvError::EncryptedDataInvalid
            | RvError::EncryptedDataLenRange
            | RvError::FunctionFailed
            | RvError::GeneralError,
            _,
        ) => does_not_unwrap(),
        _ => unavailable("the token does not unwrap; see to it that it works, try again", error),
    }
}

/// The token was away, or its sessions were ended: all that was found in it is to be found again.
pub(super) fn is_of_a_session_that_is_over(error: &Cryptoki) -> bool {
    matches!(
        error,
        Cryptoki::Pkcs11(
            RvError::CryptokiNotInitialized
                | RvError::DeviceError
                | RvError::DeviceRemoved
                | RvError::KeyHandleInvalid
                | RvError::ObjectHandleInvalid
                | RvError::OperationActive
                | RvError::SessionClosed
                | RvError::SessionHandleInvalid
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::UserNotLoggedIn,
            _
        )
    )
}

/// The PIN is wrong, or none will be taken.
pub(super) fn is_of_the_pin(error: &Cryptoki) -> bool {
    matches!(
        error,
        Cryptoki::Pkcs11(
            RvError::PinExpired
                | RvError::PinIncorrect
                | RvError::PinInvalid
                | RvError::PinLenRange
                | RvError::PinLocked
                | RvError::UserPinNotInitialized,
            _
        )
    )
}

pub(super) fn unavailable(message: &'static str, error: Cryptoki) -> Error {
    Error::new(ErrorKind::Unavailable, message).with_source(error)
}
