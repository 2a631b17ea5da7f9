//! Signing in by the system's browser, on Apple's page and by way of a page of the app's.

mod loopback;

use std::{fmt, sync::Arc, time::Duration};

use backup_core::{Error, ErrorKind, Result, async_trait};
use reqwest::Url;

use self::loopback::Loopback;
use crate::{SignIn, WebAuthToken, container::server};

/// Shows a page to the user.
#[async_trait]
pub trait Browser: fmt::Debug + Send + Sync {
    /// Opens `url`, which is the app's own, in the browser that the user signs in with, and
    /// returns.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if there is no browser,
    /// [`ErrorKind::Cancelled`] if the user does not want to.
    async fn open(&self, url: &str) -> Result<()>;
}

/// The browser that the system opens addresses with.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemBrowser;

#[async_trait]
impl Browser for SystemBrowser {
    async fn open(&self, url: &str) -> Result<()> {
        let url = url.to_owned();
        blocking::unblock(move || open::that_detached(url))
            .await
            .map_err(|_| Error::new(ErrorKind::Unsupported, "no browser opens on this device"))
    }
}

/// Signs users in on desktops.
///
/// Apple comes back to the one address that is registered with the API token, and brings nothing
/// along by which the app could know its own sign-in. So that address is a page of the app's,
/// `callback.html` of this crate, which is also where the sign-in begins: the browser's tab keeps a
/// secret of ours meanwhile, and the page hands it over to this machine together with the token.
#[derive(Debug)]
pub struct BrowserSignIn {
    page: Url,
    browser: Arc<dyn Browser>,
    time_limit: Duration,
}

impl BrowserSignIn {
    /// By `page`: where `callback.html` is, as it is registered with the API token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if it is no address of HTTPS, nor of this machine.
    pub fn new(page: &str, browser: Arc<dyn Browser>) -> Result<Self> {
        Ok(Self { page: server(page)?, browser, time_limit: Duration::from_secs(5 * 60) })
    }

    /// Lets the user take this long, instead of five minutes.
    #[must_use]
    pub fn with_time_limit(self, time_limit: Duration) -> Self {
        Self { time_limit, ..self }
    }
}

#[async_trait]
impl SignIn for BrowserSignIn {
    async fn sign_in(&self, page: &str) -> Result<WebAuthToken> {
        let loopback = Loopback::bind().await?;
        // A fragment stays in the browser: the server of the page does not see it.
        let fragment = form_urlencoded::Serializer::new(String::new())
            .append_pair("port", &loopback.port().to_string())
            .append_pair("state", loopback.state())
            .append_pair("page", page)
            .finish();
        let mut url = self.page.clone();
        url.set_fragment(Some(&fragment));
        self.browser.open(url.as_str()).await?;
        let token = loopback.wait("ckWebAuthToken", self.time_limit).await?;
        WebAuthToken::new(token.as_str())
    }
}
