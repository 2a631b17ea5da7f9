//! The system's browser, and what a user is told to do there.

use backup_cloud::{Browser, SystemBrowser};
use backup_core::{ErrorKind, async_trait};

use crate::output::say;

/// Says on standard error what there is to do in the browser: also beside `--json`, as nobody could
/// do it without.
#[derive(Debug)]
pub(crate) struct Announced {
    /// The beginning of a sentence that ends with "in your browser".
    pub(crate) to_do: &'static str,
    /// What to do without a browser.
    pub(crate) otherwise: &'static str,
}

#[async_trait]
impl Browser for Announced {
    async fn open(&self, url: &str) -> backup_core::Result<()> {
        let Self { to_do, otherwise } = self;
        SystemBrowser.open(url).await.map_err(|_| {
            let message = format!("no browser opens on this device; {otherwise}");
            backup_core::Error::new(ErrorKind::Unsupported, message)
        })?;
        say(&format!("{to_do} in your browser. If it shows nothing, open this there:\n{url}"));
        Ok(())
    }
}
