//! What lets the app see a user's iCloud, and where it comes from.

use std::fmt;

use backup_core::{
    Error, ErrorKind, Result, async_trait,
    secrecy::{ExposeSecret, SecretString},
};

/// A web auth token: opens the user's private database to the app for one call, whose answer
/// carries the next one.
pub struct WebAuthToken(SecretString);

impl WebAuthToken {
    /// The longest that is taken for a token, in bytes.
    pub const MAX_LEN: usize = 4096;

    /// Takes a token as Apple gave it, not escaped for an address.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if it has no characters, more than [`MAX_LEN`](Self::MAX_LEN),
    /// or others than a token has.
    pub fn new(token: impl Into<SecretString>) -> Result<Self> {
        let token = token.into();
        let text = token.expose_secret();
        let fits = (1..=Self::MAX_LEN).contains(&text.len());
        if !fits || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = "this is no web auth token of Apple's; sign in again";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        Ok(Self(token))
    }

    /// The token, to be sent to Apple and nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl WebAuthToken {
    /// What was kept. Only a token is ever saved, so whatever else is there is damaged.
    pub(crate) fn kept(text: SecretString) -> Result<Self> {
        Self::new(text).map_err(|_| {
            Error::new(ErrorKind::Damaged, "what is kept is no token of Apple's; sign in again")
        })
    }

    /// To be kept where nobody else reads.
    pub(crate) fn secret(&self) -> &SecretString {
        &self.0
    }
}

impl fmt::Debug for WebAuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebAuthToken([REDACTED])")
    }
}

/// Signs the user in to iCloud.
///
/// [`BrowserSignIn`](crate::BrowserSignIn) does so on desktops. An app on an Apple device has the
/// user signed in already: it implements this over `CKFetchWebAuthTokenOperation`, says that it
/// does not ask, and takes no notice of the page.
#[async_trait]
pub trait SignIn: fmt::Debug + Send + Sync {
    /// Whether the user has to do something for it.
    ///
    /// Making and reading a backup signs the user in where that is needed. Looking for what is
    /// kept, and removing it, does so only if the user is not asked.
    fn asks(&self) -> bool {
        true
    }

    /// A token of the user who signs in on `page`, which is Apple's.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`] if the user declines or takes no notice.
    async fn sign_in(&self, page: &str) -> Result<WebAuthToken>;
}
