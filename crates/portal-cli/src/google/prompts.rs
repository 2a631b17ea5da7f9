//! What the user is told while they sign in. It goes to standard error, also beside `--json`:
//! without it nobody could.

use backup_core::async_trait;
use backup_methods_gdrive::{Browser, CodeDisplay, DeviceCode, SystemBrowser};

/// Says on standard error what there is to do.
#[derive(Debug)]
pub(super) struct Announced;

#[async_trait]
impl Browser for Announced {
    async fn open(&self, url: &str) -> backup_core::Result<()> {
        SystemBrowser.open(url).await?;
        eprintln!(
            "Sign in to Google in your browser. If it shows nothing, open this there:\n{url}"
        );
        Ok(())
    }
}

#[async_trait]
impl CodeDisplay for Announced {
    async fn show(&self, code: &DeviceCode) -> backup_core::Result<()> {
        let minutes = code.expires_in / 60;
        eprintln!(
            "Sign in to Google on another device, within {minutes} minutes: go to\n  {}\nand type \
             the code\n  {}",
            printable(&code.verification_uri),
            printable(&code.user_code)
        );
        Ok(())
    }
}

/// Without what would move a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}
