//! Assertions whose failure says what it means for a wallet.

use std::{error, fmt::Write};

use backup_core::{Error, ErrorKind, Result};

/// The value of a call that has to succeed, or else `meaning`.
#[track_caller]
pub(crate) fn must<T>(result: Result<T>, meaning: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{meaning}: {}", describe(&error)),
    }
}

/// The error of a call that has to fail as one of `kinds`, or else `meaning`.
#[track_caller]
pub(crate) fn must_fail<T>(result: Result<T>, kinds: &[ErrorKind], meaning: &str) -> Error {
    match result {
        Ok(_) => panic!("{meaning}: expected {kinds:?}, but it succeeded"),
        Err(error) if kinds.contains(&error.kind()) => error,
        Err(error) => panic!("{meaning}: expected {kinds:?}, not {}", describe(&error)),
    }
}

/// Everything that an error can show, with its causes.
pub(crate) fn everything_in(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}");
    let mut cause = error::Error::source(error);
    while let Some(inner) = cause {
        let _ = write!(text, "\n{inner}\n{inner:?}");
        cause = inner.source();
    }
    text
}

fn describe(error: &Error) -> String {
    let mut text = format!("{:?} ({error}", error.kind());
    let mut cause = error::Error::source(error);
    while let Some(inner) = cause {
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    text.push(')');
    text
}
