//! The custodian's half of a backup, on its way from the custodian's servers to the app.

use std::fmt;

use backup_core::{Curve, SharePairId};
use portal_api::compat::EjectableShare;
use portal_mpc::{BackupShare, OnCurve, Server};
use zeroize::Zeroizing;

use crate::{Error, Result};

/// The custodian's half of a backup, as its servers get it to eject a wallet: what Portal calls the
/// organization's backup share. Secret.
pub struct CustodianShare {
    text: Zeroizing<String>,
    pair: SharePairId,
    half: BackupShare<Server>,
}

impl CustodianShare {
    /// Reads what a service answers to a custodian as `custodianBackupShare`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if it is none.
    pub fn parse(text: &str) -> Result<Self> {
        let none = || Error::InvalidInput("this is no custodian's half of a backup".into());
        let share: EjectableShare = serde_json::from_str(text).map_err(|_| none())?;
        let half = share.bytes().and_then(|bytes| BackupShare::from_bytes(&bytes).ok());
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            pair: share.backup_share_pair_id,
            half: half.ok_or_else(none)?,
        })
    }

    /// The text that [`parse`](Self::parse) reads, to be sent to the app. Do not keep copies.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    pub(crate) fn pair(&self) -> &SharePairId {
        &self.pair
    }

    pub(crate) fn half(&self) -> &BackupShare<Server> {
        &self.half
    }
}

impl OnCurve for CustodianShare {
    fn curve(&self) -> Curve {
        self.half.curve()
    }
}

impl fmt::Debug for CustodianShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustodianShare").field("pair", &self.pair).finish_non_exhaustive()
    }
}
