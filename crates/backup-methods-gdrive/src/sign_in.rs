//! Signing users in to Google, and keeping them signed in.

mod desktop;
mod device;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use backup_cloud::{Browser, TokenStore};
use backup_core::{
    ErrorKind, Result, async_trait,
    secrecy::{ExposeSecret, SecretString},
};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

pub use self::device::{CodeDisplay, DeviceCode};
use crate::{
    AccessToken, DriveProblem, OAuthClient, Scope, TokenSource,
    oauth::{Granted, OAuth, Refused},
};

/// Signs users in by their browser or by a code, and gives out access tokens without them
/// afterwards.
pub struct GoogleSignIn {
    oauth: OAuth,
    way: Way,
    kept: Arc<dyn TokenStore>,
    /// For how long the user may take.
    time_limit: Duration,
    current: Mutex<Option<Current>>,
}

enum Way {
    Browser(Arc<dyn Browser>),
    Code(Arc<dyn CodeDisplay>),
}

/// An access token, and what is known about it.
struct Current {
    token: Zeroizing<String>,
    scope: Scope,
    expires: SystemTime,
}

impl Current {
    /// Whether it is good for another minute.
    fn is_good(&self, scope: Scope) -> bool {
        let in_a_minute = SystemTime::now() + Duration::from_secs(60);
        self.scope == scope && self.expires > in_a_minute
    }

    fn access_token(&self) -> AccessToken {
        AccessToken::new(SecretString::from(self.token.as_str()))
    }
}

impl GoogleSignIn {
    /// On a desktop: the browser comes back to a port of this machine (RFC 8252, with PKCE).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if the device cannot speak HTTPS.
    pub fn with_browser(
        client: OAuthClient,
        kept: Arc<dyn TokenStore>,
        browser: Arc<dyn Browser>,
    ) -> Result<Self> {
        Self::new(client, kept, Way::Browser(browser))
    }

    /// On a device without a browser: the user types a code elsewhere (RFC 8628).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if the device cannot speak HTTPS.
    pub fn with_code(
        client: OAuthClient,
        kept: Arc<dyn TokenStore>,
        display: Arc<dyn CodeDisplay>,
    ) -> Result<Self> {
        Self::new(client, kept, Way::Code(display))
    }

    fn new(client: OAuthClient, kept: Arc<dyn TokenStore>, way: Way) -> Result<Self> {
        let time_limit = Duration::from_secs(5 * 60);
        Ok(Self { oauth: OAuth::new(client)?, way, kept, time_limit, current: Mutex::default() })
    }

    /// Lets the user take this long in the browser, instead of five minutes. How long a code is
    /// good for, Google says.
    #[must_use]
    pub fn with_time_limit(self, time_limit: Duration) -> Self {
        Self { time_limit, ..self }
    }

    /// Forgets the user on this device.
    ///
    /// Google is not told: to withdraw the consent there is to disconnect the app, which deletes
    /// what it keeps in its hidden folder.
    ///
    /// # Errors
    ///
    /// If the tokens are kept still.
    pub async fn forget(&self) -> Result<()> {
        let mut current = self.current.lock().await;
        *current = None;
        self.kept.clear().await
    }

    /// What was kept, if it can be read: what is damaged is replaced by signing in again.
    async fn kept(&self) -> Result<Option<SecretString>> {
        match self.kept.load().await {
            Err(error) if error.kind() == ErrorKind::Damaged => Ok(None),
            kept => kept,
        }
    }

    /// Keeps what was granted. The refresh token is durable before the access token is used.
    async fn keep(
        &self,
        current: &mut Option<Current>,
        scope: Scope,
        granted: Granted,
    ) -> Result<AccessToken> {
        if !granted.allows(scope) {
            return Err(DriveProblem::SignInNeeded.into());
        }
        if let Some(token) = granted.refresh_token {
            self.kept.save(&SecretString::from(token.as_str())).await?;
        }
        let lifetime = Duration::from_secs(granted.expires_in.unwrap_or(0).min(24 * 3600));
        let expires = SystemTime::now() + lifetime;
        let new = Current { token: granted.access_token, scope, expires };
        Ok(current.insert(new).access_token())
    }
}

impl fmt::Debug for GoogleSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoogleSignIn")
            .field("oauth", &self.oauth)
            .field("kept", &self.kept)
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenSource for GoogleSignIn {
    /// Calls at the same time wait for one refresh.
    async fn token(&self, scope: Scope) -> Result<AccessToken> {
        let mut current = self.current.lock().await;
        if let Some(good) = current.as_ref().filter(|current| current.is_good(scope)) {
            return Ok(good.access_token());
        }
        let kept = self.kept().await?.ok_or(DriveProblem::SignInNeeded)?;
        let form = [("grant_type", "refresh_token"), ("refresh_token", kept.expose_secret())];
        match self.oauth.token(&form).await {
            Ok(granted) => self.keep(&mut current, scope, granted).await,
            Err(refused) => {
                if matches!(&refused, Refused::Because(reason) if reason == "invalid_grant") {
                    self.kept.clear().await?;
                }
                Err(refused.into())
            }
        }
    }

    async fn discard(&self, token: &AccessToken) -> Result<()> {
        let mut current = self.current.lock().await;
        let is_it = |known: &Current| known.token.as_bytes().ct_eq(token.expose().as_bytes());
        if current.as_ref().is_some_and(|known| is_it(known).into()) {
            *current = None;
        }
        Ok(())
    }

    fn asks(&self) -> bool {
        true
    }

    async fn sign_in(&self, scope: Scope) -> Result<AccessToken> {
        let granted = match &self.way {
            Way::Browser(browser) => {
                desktop::sign_in(&self.oauth, scope, &**browser, self.time_limit).await?
            }
            Way::Code(display) => device::sign_in(&self.oauth, scope, &**display).await?,
        };
        self.keep(&mut *self.current.lock().await, scope, granted).await
    }
}
