//! One turn with the wallet: the device's lock, and what the service has.

use std::time::{SystemTime, UNIX_EPOCH};

use portal_api::{ClientView, DeviceKey};

use super::{Portal, view};
use crate::{
    Error, Notice, Result,
    device::{DeviceState, SigningSet, WalletOperation},
    mpc,
    service::Service,
};

/// An operation that is going on: no other one is, on this device.
pub(super) struct Turn<'a> {
    pub(super) portal: &'a Portal,
    pub(super) operation: WalletOperation<'a>,
    pub(super) view: ClientView,
    pub(super) notices: Vec<Notice>,
}

impl<'a> Turn<'a> {
    pub(super) async fn begin(portal: &'a Portal, operation: WalletOperation<'a>) -> Result<Self> {
        let view = portal.service.look().await?;
        Ok(Self { portal, operation, view, notices: Vec::new() })
    }

    pub(super) fn service(&self) -> &'a Service {
        &self.portal.service
    }

    pub(super) fn state(&self) -> &DeviceState {
        self.operation.state()
    }

    pub(super) fn update(
        &mut self,
        change: impl FnOnce(&mut DeviceState) -> backup_core::Result<()>,
    ) -> Result<()> {
        self.operation.update(change).map_err(Error::Device)
    }

    /// Asks the service again what it has: something has changed.
    pub(super) async fn look_again(&mut self) -> Result<()> {
        self.view = self.service().look().await?;
        Ok(())
    }

    pub(super) fn is_live(&self) -> bool {
        view::is_live(self.state(), &self.view)
    }

    /// The device's live set, if it is the service's.
    pub(super) fn live(&self) -> Result<&SigningSet> {
        match self.state().live() {
            Some(live) if self.is_live() => Ok(live),
            Some(_) if self.view.signing.is_none() => Err(Error::RolledBack("this wallet")),
            None if self.view.signing.is_none() => Err(Error::NoWallet),
            _ => Err(Error::NotLive),
        }
    }

    /// The key that signs for the live set.
    pub(super) fn key(&self) -> Result<DeviceKey> {
        Ok(mpc::device_key(self.live()?))
    }

    /// Takes note of heads that are not the ones that this device knows.
    pub(super) fn notice_rollback(&mut self) {
        if self.is_live() {
            let rolled_back = view::rolled_back(self.state(), &self.view);
            let notices = rolled_back.into_iter().map(|method| Notice::RolledBack { method });
            self.notices.extend(notices);
        }
    }

    pub(super) fn into_notices(self) -> Vec<Notice> {
        self.notices
    }

    pub(super) fn into_operation(self) -> WalletOperation<'a> {
        self.operation
    }
}

/// By the device's own clock, in seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
