//! What went wrong, sorted by what the caller can do next.

use std::{borrow::Cow, error, fmt, iter};

use crate::MethodId;

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller can do next.
///
/// Within a layer, a wrong key, a wrong context and tampering are one kind, so that an error tells
/// an attacker nothing; layers differ. A slot that does not open is [`Unauthorized`]; shares that
/// do not open behind an opened slot are [`Damaged`], and asking the user again is of no use.
///
/// [`Unauthorized`]: ErrorKind::Unauthorized
/// [`Damaged`]: ErrorKind::Damaged
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The user declined. Nothing changed; ask again when they want to.
    Cancelled,
    /// A name is taken by other bytes. Nothing was overwritten; take another name.
    Conflict,
    /// The bytes are not what was written. Use another copy or another backup.
    Damaged,
    /// The caller's input was refused. The message says what to change.
    InvalidInput,
    /// The method's parameters are malformed. Found before the user was asked anything.
    InvalidParams,
    /// What the method kept is not there. Another account or another backup may have it.
    NotFound,
    /// The parameters ask for more work or memory than the reader allows. Raise the limit knowingly
    /// or do not open this.
    TooCostly,
    /// The secret, account or context is not the one that this backup was made with. Try another.
    Unauthorized,
    /// A network, service or device did not answer, or is locked. Try again later.
    Unavailable,
    /// A newer version of this software wrote this. Update, then try again.
    UnknownVersion,
    /// The method cannot work here. Offer another one.
    Unsupported,
}

/// An error with the method that failed and, where there is one, its cause.
///
/// It never holds a secret. Authors of methods keep it so: no share, key, password or token goes
/// into a message or a source.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    method: Option<MethodId>,
    message: Cow<'static, str>,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl Error {
    /// An error of this kind; `message` says what was wrong and what to do, to the user.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, method: None, message: message.into(), source: None }
    }

    /// Names the method that failed, unless one is named already.
    #[must_use]
    pub fn in_method(mut self, method: &MethodId) -> Self {
        self.method.get_or_insert_with(|| method.clone());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds a clause to the message, if there is one to add.
    pub(crate) fn with_hint(mut self, hint: Option<String>) -> Self {
        if let Some(hint) = hint {
            self.message = format!("{}; {hint}", self.message).into();
        }
        self
    }

    /// What the caller can do next.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The method that failed, if the error came from one.
    #[must_use]
    pub fn method(&self) -> Option<&MethodId> {
        self.method.as_ref()
    }

    /// The nearest cause of this type: what a method's crate says beyond the kind.
    #[must_use]
    pub fn cause<T: error::Error + 'static>(&self) -> Option<&T> {
        iter::successors(error::Error::source(self), |cause| cause.source())
            .find_map(|cause| cause.downcast_ref())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.method {
            Some(method) => write!(f, "{method}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

/// A parse failure of something that was stored: an envelope, a record.
pub(crate) fn damaged(message: &'static str) -> Error {
    Error::new(ErrorKind::Damaged, message)
}

/// A refusal of what the caller passed in.
pub(crate) fn invalid_input(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_cause_is_found_by_its_type_however_deep_it_is() {
        let inner = Error::new(ErrorKind::Unavailable, "inner").with_source(fmt::Error);
        let outer = Error::new(ErrorKind::Unavailable, "outer").with_source(inner);
        assert_eq!(outer.cause::<fmt::Error>(), Some(&fmt::Error));
        assert!(outer.cause::<io::Error>().is_none());
    }
}
