//! How the method asks the user: a trait that the app implements.

use std::{fmt, sync::Arc};

use backup_core::{
    Error, ErrorKind, Result, async_trait,
    secrecy::{ExposeSecret, SecretString},
};

use crate::{Policy, Refusal};

/// Asks the user for a password. The app implements it and gives it to
/// [`Password::new`](crate::Password::new).
///
/// There is no request to confirm a password: enrolling a method is choosing one, and the unlock
/// that verifies a backup before it counts asks for it again.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait PasswordPrompt: fmt::Debug + Send + Sync {
    /// Asks the user, and returns exactly what was typed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`] if the user declines.
    async fn password(&self, request: &PasswordRequest<'_>) -> Result<SecretString>;
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
#[deny(clippy::missing_trait_methods)]
impl<T: PasswordPrompt + ?Sized> PasswordPrompt for Arc<T> {
    async fn password(&self, request: &PasswordRequest<'_>) -> Result<SecretString> {
        (**self).password(request).await
    }
}

/// What the user is asked, and why.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PasswordRequest<'a> {
    /// To choose a password, or to enter one.
    pub why: Why<'a>,
    /// 1 at first; more after a password was refused or wrong.
    pub attempt: u32,
    /// The attempt after which the operation gives up.
    pub attempts: u32,
    /// What was wrong with the last answer.
    pub problem: Option<Problem>,
}

/// Why the user is asked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Why<'a> {
    /// To choose a password for a new enrolment. Say that there is no way back if it is forgotten.
    Choose {
        /// What the password has to fulfil; [`Policy::check`] can be asked while the user types.
        policy: &'a Policy,
    },
    /// To enter the password of an earlier enrolment.
    Enter,
}

/// What was wrong with the last answer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// It was refused before anything was tried with it.
    Refused(Refusal),
    /// It does not open the backup.
    Wrong,
}

/// A password that the app has asked for already. It is given once, not again after a problem.
#[derive(Debug)]
pub struct GivenPassword(SecretString);

impl GivenPassword {
    /// Answers with `password`.
    #[must_use]
    pub fn new(password: SecretString) -> Self {
        Self(password)
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl PasswordPrompt for GivenPassword {
    async fn password(&self, request: &PasswordRequest<'_>) -> Result<SecretString> {
        match &request.problem {
            None => Ok(SecretString::from(self.0.expose_secret())),
            Some(Problem::Refused(refusal)) => Err(refused(refusal.clone())),
            Some(Problem::Wrong) => {
                Err(Error::new(ErrorKind::Unauthorized, "the password does not open this backup"))
            }
        }
    }
}

/// The error of a user who had all attempts.
pub(crate) fn refused(refusal: Refusal) -> Error {
    Error::new(ErrorKind::InvalidInput, refusal.to_string()).with_source(refusal)
}
