//! How a command fails: what was wrong, what to do, and the exit code.

use std::{error::Error, fmt, io, path::Path, process::ExitCode};

use portal_client::ErrorId;
use portal_server::{StartError, admin::AdminError, store::StoreError};
use serde_json::{Map, Value, json};

#[cfg(feature = "gdrive")]
use crate::google;
#[cfg(feature = "icloud")]
use crate::icloud;
#[cfg(feature = "passkey")]
use crate::passkey;
use crate::short;

/// The end of every `--help`.
macro_rules! exit_codes {
    () => {
        "\
Exit codes:
    0  everything that was asked for was done, and checked
    1  it failed; the message says why and what to do
    2  the command line was wrong
    3  the password, key or account is not the right one
    4  something did not answer; nothing is wrong that trying again cannot mend
    5  not possible as things stand: another device took over, or there is a wallet already
    6  what was read is damaged, not what it should be, or of a newer version
  130  ended by Ctrl-C or SIGTERM; the next command finishes or undoes what was begun"
    };
}
pub(crate) use exit_codes;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    /// What a program is told beside it.
    details: Map<String, Value>,
}

/// What whoever started the command can do next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Read the message.
    Failed,
    /// Mend the command line.
    Usage,
    /// Try another password, key or account.
    Unauthorized,
    /// Try again later.
    Unavailable,
    /// Look at the state first.
    State,
    /// Take another copy, or another backup.
    Damaged,
    /// It was ended from outside.
    Interrupted,
}

impl Kind {
    /// The name in JSON.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Unauthorized => "unauthorized",
            Self::Unavailable => "unavailable",
            Self::State => "state",
            Self::Damaged => "damaged",
            Self::Interrupted => "interrupted",
        }
    }

    const fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unauthorized => 3,
            Self::Unavailable => 4,
            Self::State => 5,
            Self::Damaged => 6,
            // As a shell reports what SIGINT ended.
            Self::Interrupted => 130,
        }
    }
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: Map::new() }
    }

    /// What no other kind says better.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// `verb` could not be done to the file at `path`.
    pub(crate) fn of_file(verb: &str, path: &Path, error: &io::Error) -> Self {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => "; check the path",
            io::ErrorKind::PermissionDenied => "; check who may access it",
            io::ErrorKind::StorageFull => "; make room",
            _ => "",
        };
        Self::failed(format!("cannot {verb} {}: {error}{hint}", path.display()))
    }

    /// An error of another crate, with its causes.
    pub(crate) fn caused_by(kind: Kind, error: &dyn Error) -> Self {
        Self::new(kind, with_causes(error))
    }

    /// Says where it comes from.
    pub(crate) fn at(mut self, place: &impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// Adds what a program may want to read: the members of an object.
    pub(crate) fn with_details(mut self, details: Value) -> Self {
        if let Value::Object(details) = details {
            self.details.extend(details);
        }
        self
    }

    fn with_hint(mut self, hint: Option<&str>) -> Self {
        if let Some(hint) = hint {
            self.message += &format!("\n  hint: {hint}");
        }
        self
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind.exit_code())
    }

    pub(crate) fn as_json(&self) -> Value {
        let mut error = self.details.clone();
        error.insert("kind".to_owned(), self.kind.as_str().into());
        error.insert("message".to_owned(), short::lines(&self.message).into());
        json!({ "error": error })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&short::lines(&self.message))
    }
}

impl From<backup_core::Error> for Failure {
    fn from(error: backup_core::Error) -> Self {
        let failure = Self::caused_by(kind_of(&error), &error);
        failure.with_hint(hint(&error))
    }
}

impl From<portal_client::Error> for Failure {
    fn from(error: portal_client::Error) -> Self {
        let of_method = match &error {
            portal_client::Error::Method(error) => hint(error),
            _ => None,
        };
        Self::caused_by(kind_of_client(&error), &error).with_hint(of_method)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let kind = match &error {
            StartError::InUse(_) => Kind::State,
            StartError::Listen { .. } => Kind::Unavailable,
            _ => Kind::Failed,
        };
        Self::caused_by(kind, &error)
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        let kind = match &error {
            AdminError::NoService(_) | AdminError::NoSuch(_) | AdminError::OtherKeys => Kind::State,
            AdminError::Name => Kind::Usage,
            AdminError::Store(StoreError::OtherRelease) | AdminError::Audit(_) => Kind::Damaged,
            AdminError::Store(error) if error.is_busy() => Kind::Unavailable,
            _ => Kind::Failed,
        };
        Self::caused_by(kind, &error)
    }
}

fn kind_of_client(error: &portal_client::Error) -> Kind {
    use portal_client::Error;
    match error {
        Error::Method(error) | Error::Device(error) => kind_of(error),
        Error::Service { id, .. } => kind_of_refusal(*id),
        Error::OtherClient { .. } => Kind::Unauthorized,
        Error::Unreachable(_) | Error::InProgress => Kind::Unavailable,
        Error::InvalidInput(_) => Kind::Usage,
        Error::Damaged(_) => Kind::Damaged,
        Error::NotLive
        | Error::NoWallet
        | Error::WalletExists
        | Error::NoBackup(_)
        | Error::NotBackedUp
        | Error::RolledBack(_)
        | Error::OtherWallet(_)
        | Error::Frozen { .. } => Kind::State,
        _ => Kind::Failed,
    }
}

fn kind_of_refusal(id: ErrorId) -> Kind {
    match id {
        ErrorId::AuthFailed => Kind::Unauthorized,
        ErrorId::Error | ErrorId::InternalError | ErrorId::OperationInProgress => Kind::Unavailable,
        ErrorId::NotFound | ErrorId::SignShareMismatch | ErrorId::StateInvalid => Kind::State,
        ErrorId::DkgRefreshMismatch => Kind::Damaged,
        _ => Kind::Failed,
    }
}

/// What an error of the core means here.
fn kind_of(error: &backup_core::Error) -> Kind {
    use backup_core::ErrorKind;
    match error.kind() {
        // Who is asked something may hear of Ctrl-C before whoever waits for signals does.
        ErrorKind::Cancelled if was_interrupted(error) => Kind::Interrupted,
        ErrorKind::InvalidInput => Kind::Usage,
        // What was not found was looked for where this account or keychain has it.
        ErrorKind::Unauthorized | ErrorKind::NotFound => Kind::Unauthorized,
        ErrorKind::Unavailable => Kind::Unavailable,
        ErrorKind::Conflict => Kind::State,
        ErrorKind::Damaged | ErrorKind::InvalidParams | ErrorKind::UnknownVersion => Kind::Damaged,
        _ => Kind::Failed,
    }
}

fn was_interrupted(error: &backup_core::Error) -> bool {
    error.cause().is_some_and(|cause: &io::Error| cause.kind() == io::ErrorKind::Interrupted)
}

/// What the user can do about an error of a method, where the method cannot know this command.
pub(crate) fn hint(error: &backup_core::Error) -> Option<&'static str> {
    #[cfg(feature = "gdrive")]
    if let Some(hint) = google::hint(error) {
        return Some(hint);
    }
    #[cfg(feature = "icloud")]
    if let Some(hint) = icloud::hint(error) {
        return Some(hint);
    }
    #[cfg(feature = "passkey")]
    if let Some(hint) = passkey::hint(error) {
        return Some(hint);
    }
    let _ = error;
    None
}

fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_said = cause.to_string();
        if !message.ends_with(&cause_said) {
            message = format!("{message}\n  because: {cause_said}");
        }
        source = cause.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use backup_core::{Error, ErrorKind};

    use super::*;

    #[test]
    fn who_was_asked_and_pressed_ctrl_c_has_interrupted_and_who_declined_has_not() {
        let interrupted = io::Error::from(io::ErrorKind::Interrupted);
        let error = Error::new(ErrorKind::Cancelled, "no").with_source(interrupted);
        assert_eq!(kind_of(&error).exit_code(), 130);
        assert_eq!(kind_of(&Error::new(ErrorKind::Cancelled, "no")).exit_code(), 1);
    }
}
