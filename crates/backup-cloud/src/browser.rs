//! What shows a page to the user.

use std::fmt;

use backup_core::{Error, ErrorKind, Result, async_trait};

/// Shows a page to the user.
#[async_trait]
pub trait Browser: fmt::Debug + Send + Sync {
    /// Opens `url`, where the user signs in, in the browser that they sign in with, and returns.
    /// Not in a view of the app's own: providers refuse those.
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
