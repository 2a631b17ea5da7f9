//! Where access tokens come from: whoever signs the user in to Google.

use std::fmt;

use backup_core::{
    Result, async_trait,
    secrecy::{ExposeSecret, SecretString},
};

use crate::{DriveProblem, Scope};

/// Signs the user in to Google, and gives out access tokens.
///
/// [`GoogleSignIn`](crate::GoogleSignIn) does so on desktops and on devices without a browser. An
/// app that signs its users in by itself (on the web, by the SDKs of Android and iOS) implements
/// `token` and `discard`.
#[async_trait]
pub trait TokenSource: fmt::Debug + Send + Sync {
    /// A token for `scope` that is good for a minute at least, without asking the user.
    ///
    /// # Errors
    ///
    /// [`DriveProblem::SignInNeeded`] if there is none without the user,
    /// [`ErrorKind::Unavailable`](backup_core::ErrorKind::Unavailable) if it could not be asked
    /// for.
    async fn token(&self, scope: Scope) -> Result<AccessToken>;

    /// Drive refused `token`: it is not to be given out again.
    ///
    /// # Errors
    ///
    /// If that cannot be remembered.
    async fn discard(&self, token: &AccessToken) -> Result<()>;

    /// Whether [`sign_in`](Self::sign_in) can ask the user. If not, the app signs in beforehand.
    fn asks(&self) -> bool {
        false
    }

    /// Asks the user to sign in and to agree to `scope`.
    ///
    /// Making and reading a backup calls this by itself where the user is needed; looking for what
    /// is kept, and removing it, never does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`](backup_core::ErrorKind::Cancelled) if the user declines.
    async fn sign_in(&self, scope: Scope) -> Result<AccessToken> {
        let _ = scope;
        Err(DriveProblem::SignInNeeded.into())
    }
}

/// What opens the user's Drive to the app for about an hour.
pub struct AccessToken(SecretString);

impl AccessToken {
    /// Takes a token as Google gave it.
    #[must_use]
    pub fn new(token: impl Into<SecretString>) -> Self {
        Self(token.into())
    }

    /// The token, to be sent to Google and nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken([REDACTED])")
    }
}
