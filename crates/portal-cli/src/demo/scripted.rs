//! A user who types what the script says.

use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
};

use backup_core::{Error, ErrorKind, Result, async_trait, secrecy::SecretString};
use backup_methods_password::{PasswordPrompt, PasswordRequest, Problem, Why};

use super::narrator::Narrator;

pub(super) const PASSWORD: &str = "seven teal lanterns drift";
pub(super) const MISTYPED: &str = "seven teal lantern drifts";
pub(super) const TOO_SHORT: &str = "lantern";
pub(super) const WRONG: &str = "open sesame please";

/// Types one password after another, and says what an app would show.
pub(super) struct User {
    narrator: Narrator,
    script: &'static [&'static str],
    typed: AtomicUsize,
}

impl User {
    pub(super) fn typing(script: &'static [&'static str], narrator: &Narrator) -> Self {
        Self { narrator: narrator.clone(), script, typed: AtomicUsize::new(0) }
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").finish_non_exhaustive()
    }
}

#[async_trait]
impl PasswordPrompt for User {
    async fn password(&self, request: &PasswordRequest<'_>) -> Result<SecretString> {
        self.read(request);
        let next = self.typed.fetch_add(1, Ordering::Relaxed);
        let password = self.script.get(next).ok_or_else(|| {
            Error::new(ErrorKind::Cancelled, "the demo's user was asked more often than expected")
        })?;
        self.narrator.say("> ************");
        Ok(SecretString::from(*password))
    }
}

impl User {
    /// What an app would show.
    fn read(&self, request: &PasswordRequest<'_>) {
        let PasswordRequest { attempt, attempts, .. } = request;
        let narrator = &self.narrator;
        match &request.problem {
            Some(Problem::Refused(refusal)) => narrator.say(&format!("Refused: {refusal}.")),
            Some(_) => narrator.say("Wrong password."),
            None => {}
        }
        match request.why {
            Why::Choose { .. } => {
                narrator.say("Choose a password. If you forget it, nobody can bring it back.");
            }
            _ => narrator.say(&format!("Enter your password (attempt {attempt} of {attempts}).")),
        }
    }
}
