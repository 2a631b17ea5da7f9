//! What lets the app see a user's iCloud, where it comes from and where it is kept.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

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

    /// The token, to be sent to Apple and nobody else, and to be kept where nobody else reads.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
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

/// Where the app keeps the one token that is good: a keychain.
///
/// Every call to iCloud replaces it, so it is written often. If what was saved last is lost, the
/// user has to sign in again, and nothing else is lost.
#[async_trait]
pub trait TokenStore: fmt::Debug + Send + Sync {
    /// What was saved last, if anything.
    ///
    /// # Errors
    ///
    /// If it could not be looked for. [`ErrorKind::Damaged`] lets the user sign in again.
    async fn load(&self) -> Result<Option<WebAuthToken>>;

    /// Replaces what was saved before.
    ///
    /// # Errors
    ///
    /// If it could not be made durable.
    async fn save(&self, token: &WebAuthToken) -> Result<()>;

    /// Forgets what was saved. Nothing saved is fine.
    ///
    /// # Errors
    ///
    /// If it is there still.
    async fn clear(&self) -> Result<()>;
}

/// Keeps the token for as long as the process lives: then the user signs in again.
#[derive(Debug, Default)]
pub struct MemoryTokens(Mutex<Option<WebAuthToken>>);

impl MemoryTokens {
    /// With a token that somebody signed in for.
    #[must_use]
    pub fn holding(token: WebAuthToken) -> Self {
        Self(Mutex::new(Some(token)))
    }

    fn replace(&self, token: Option<WebAuthToken>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }
}

#[async_trait]
impl TokenStore for MemoryTokens {
    async fn load(&self) -> Result<Option<WebAuthToken>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().map(|token| WebAuthToken::new(token.expose())).transpose()
    }

    async fn save(&self, token: &WebAuthToken) -> Result<()> {
        self.replace(Some(WebAuthToken::new(token.expose())?));
        Ok(())
    }

    async fn clear(&self) -> Result<()> {
        self.replace(None);
        Ok(())
    }
}
