//! Signing in by the system's browser, on Apple's page and by way of a page of the app's.

use std::{sync::Arc, time::Duration};

use backup_cloud::{Browser, By, Closing, Loopback, server};
use backup_core::{Result, async_trait};
use reqwest::Url;

use crate::{SignIn, WebAuthToken};

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
    /// [`ErrorKind::InvalidInput`](backup_core::ErrorKind::InvalidInput) if it is no address of
    /// HTTPS, nor of this machine.
    pub fn new(page: &str, browser: Arc<dyn Browser>) -> Result<Self> {
        Ok(Self { page: server(page)?, browser, time_limit: Duration::from_secs(5 * 60) })
    }

    /// Lets the user take this long, instead of five minutes.
    #[must_use]
    pub fn with_time_limit(self, time_limit: Duration) -> Self {
        Self { time_limit, ..self }
    }
}

/// As `callback.html` calls it in its form.
const TOKEN: &str = "ckWebAuthToken";

#[async_trait]
impl SignIn for BrowserSignIn {
    async fn sign_in(&self, page: &str) -> Result<WebAuthToken> {
        let loopback = Loopback::bind(By::Form, Closing::SIGN_IN).await?;
        // A fragment stays in the browser: the server of the page does not see it.
        let fragment = form_urlencoded::Serializer::new(String::new())
            .append_pair("port", &loopback.port().to_string())
            .append_pair("state", loopback.state())
            .append_pair("page", page)
            .finish();
        let mut url = self.page.clone();
        url.set_fragment(Some(&fragment));
        self.browser.open(url.as_str()).await?;
        let token = loopback.wait(|brought| brought.only(TOKEN).map(Ok), self.time_limit).await?;
        WebAuthToken::new(token.as_str())
    }
}
