//! The code that the user types elsewhere. It goes to standard error, also beside `--json`: without
//! it nobody could sign in.

use backup_core::async_trait;
use backup_methods_gdrive::{CodeDisplay, DeviceCode};

use crate::output::say;

/// Says on standard error where to type which code.
#[derive(Debug)]
pub(super) struct ShownCode;

#[async_trait]
impl CodeDisplay for ShownCode {
    async fn show(&self, code: &DeviceCode) -> backup_core::Result<()> {
        let minutes = code.expires_in / 60;
        say(&format!(
            "Sign in to Google on another device, within {minutes} minutes: go to\n  {}\nand type \
             the code\n  {}",
            code.verification_uri, code.user_code
        ));
        Ok(())
    }
}
