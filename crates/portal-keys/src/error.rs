//! Errors of this crate, made in one place.

use std::borrow::Cow;

#[cfg(any(feature = "file", feature = "pkcs11"))]
use backup_core::Result;
use backup_core::{Error, ErrorKind};

pub(crate) fn damaged(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Damaged, message)
}

pub(crate) fn invalid_input(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

/// Fills `bytes` from the operating system.
#[cfg(any(feature = "file", feature = "pkcs11"))]
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| {
        Error::new(ErrorKind::Unavailable, "the operating system has no randomness to give")
            .with_source(error)
    })
}
