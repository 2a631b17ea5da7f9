//! Removes a wallet from a device, unless it might be lost by that.

use portal_api::BackupSetView;

use super::turn::Turn;
use crate::{Error, Result, device::WalletOperation};

impl<'a> Turn<'a> {
    /// The operation that may erase the device.
    ///
    /// # Errors
    ///
    /// [`Error::NotBackedUp`] if the device has the only half that is known to work.
    pub(super) fn expendable(self) -> Result<WalletOperation<'a>> {
        if self.state().pending().is_some() {
            // Perhaps the service signs with it already.
            return Err(Error::NotBackedUp);
        }
        let Some(live) = self.state().live() else { return Ok(self.into_operation()) };
        if self.view.signing.is_none() {
            return Err(Error::RolledBack("this wallet"));
        }
        let is_elsewhere = !self.is_live();
        let brings_back = |set: &&BackupSetView| {
            live.pairs().iter().all(|pair| {
                let saved = set.pairs.get(pair.wallet.curve());
                saved.is_some_and(|saved| saved.public_key == pair.wallet.as_bytes())
            })
        };
        let is_proved =
            self.view.backups.iter().filter(|set| set.proved).any(|set| brings_back(&set));
        if is_elsewhere || is_proved { Ok(self.into_operation()) } else { Err(Error::NotBackedUp) }
    }
}
