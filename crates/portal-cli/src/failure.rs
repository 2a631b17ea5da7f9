//! How a command fails: what was wrong, what to do, and the exit code.

use std::{error::Error, fmt, io, path::Path, process::ExitCode};

/// The end of every `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  everything that was asked for was done, and checked
  1  it failed; the message says why and what to do
  2  the command line was wrong
  3  the file is not an envelope, is damaged, or is of a newer version";

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The work failed.
    Failed(String),
    /// What was read is not what the command reads.
    NotAnEnvelope(String),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::from(1),
            Self::NotAnEnvelope(_) => ExitCode::from(3),
        }
    }

    /// `verb` could not be done to the file at `path`.
    pub(crate) fn of_file(verb: &str, path: &Path, error: &io::Error) -> Self {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => "; check the path",
            io::ErrorKind::PermissionDenied => "; check who may access it",
            io::ErrorKind::StorageFull => "; make room",
            _ => "",
        };
        Self::Failed(format!("cannot {verb} {}: {error}{hint}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(message) | Self::NotAnEnvelope(message) => f.write_str(message),
        }
    }
}

/// Fails with what an error says, and why.
macro_rules! failed_by {
    ($($error:ty),+) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::Failed(with_causes(&error))
            }
        }
    )+};
}

failed_by!(backup_core::Error, portal_mpc::Error, portal_mpc::FormatError, portal_mpc::SignError);

fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}\n  because: {cause}");
        source = cause.source();
    }
    message
}
