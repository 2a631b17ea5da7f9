//! Where a password comes from: a person at the terminal, or a file.

use std::{io, path::PathBuf, sync::Arc};

use backup_core::{BackupMethod, Error, ErrorKind, async_trait, secrecy::SecretString};
use backup_methods_password::{
    GivenPassword, Password, PasswordPrompt, PasswordRequest, Problem, Why,
};
use clap::Args;

use crate::{failure::Failure, secret_file};

/// How to come by a password. It is never an argument: those are in lists of processes.
#[derive(Args, Debug)]
pub(crate) struct PasswordFrom {
    /// Read the password from this file (`-`: from standard input) instead of asking for it
    ///
    /// One line; the line end is no part of it.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl PasswordFrom {
    /// The backup method that gets its password so.
    pub(crate) fn method(&self) -> Result<Arc<dyn BackupMethod>, Failure> {
        let prompt: Arc<dyn PasswordPrompt> = match &self.password_file {
            Some(path) => Arc::new(GivenPassword::new(secret_file::read_line(path)?)),
            None => Arc::new(Terminal),
        };
        Ok(Arc::new(Password::new(prompt)))
    }
}

/// Asks at the terminal, and does not show what is typed.
#[derive(Debug)]
struct Terminal;

#[async_trait]
impl PasswordPrompt for Terminal {
    async fn password(&self, request: &PasswordRequest<'_>) -> backup_core::Result<SecretString> {
        let question = question(request);
        let typed = tokio::task::spawn_blocking(|| rpassword::prompt_password(question)).await;
        let typed = typed.map_err(io::Error::other).and_then(|typed| typed);
        typed.map(SecretString::from).map_err(not_asked)
    }
}

fn question(request: &PasswordRequest<'_>) -> String {
    let problem = match &request.problem {
        Some(Problem::Refused(refusal)) => format!("Refused: {refusal}.\n"),
        Some(_) => "Wrong password.\n".to_owned(),
        None => String::new(),
    };
    match request.why {
        Why::Choose { .. } => format!("{problem}{CHOOSE}New password: "),
        _ => format!(
            "{problem}Password of the backup (attempt {} of {}): ",
            request.attempt, request.attempts
        ),
    }
}

const CHOOSE: &str = "\
Choose a password for your backups. If you forget it, nobody can bring it back.
To be sure that you know it, you are asked for it once more when the backup is tried out.
";

fn not_asked(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::Interrupted {
        let message = "no password was entered; nothing has changed";
        return Error::new(ErrorKind::Cancelled, message).with_source(error);
    }
    let message = "there is no terminal to ask for the password; use --password-file";
    Error::new(ErrorKind::Cancelled, message).with_source(error)
}
