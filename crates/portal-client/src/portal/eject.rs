//! Private keys, out of a backup: after that, two parties protect the wallet no longer.

use backup_core::{BackupMethod, Curve, Progress, ProgressSink, Stage};
use portal_mpc::{ByCurve, PrivateKey};

use super::{
    recover::By,
    turn::Turn,
    types::{EjectOptions, Ejected},
    view,
};
use crate::{Addresses, Error, Result, mpc::OpenedShare};

impl Turn<'_> {
    pub(super) async fn eject(
        self,
        method: &dyn BackupMethod,
        options: &EjectOptions,
        progress: &dyn ProgressSink,
    ) -> Result<Ejected> {
        let by = By::Method(method);
        let set = self.usable(by, &options.open).await?.swap_remove(0);
        let is_asked = |curve: Curve| options.only.is_none_or(|only| only == curve);
        // The user is asked for nothing while the custodian does not allow it.
        for (curve, key) in view::backup_addresses(&set)?.iter() {
            if is_asked(curve) {
                self.service().expect_ejectable(key).await?;
            }
        }
        let opened = self.open(&set, by, &options.open, progress).await?.shares;
        progress.report(Progress::Stage(Stage::RecoveringBackupShare));
        let wanted = ByCurve {
            secp256k1: opened.secp256k1.filter(|_| is_asked(Curve::Secp256k1)),
            ed25519: opened.ed25519.filter(|_| is_asked(Curve::Ed25519)),
        };
        let addresses = Addresses::new(wanted.as_ref().map(OpenedShare::public_key));
        if addresses.iter().next().is_none() {
            return Err(Error::InvalidInput("the backup is of no wallet on this curve".into()));
        }
        let keys = ByCurve {
            secp256k1: self.private_key(wanted.secp256k1).await?,
            ed25519: self.private_key(wanted.ed25519).await?,
        };
        Ok(Ejected { keys, addresses, backup: set.id, notices: self.notices })
    }

    async fn private_key(&self, opened: Option<OpenedShare>) -> Result<Option<PrivateKey>> {
        match opened {
            Some(opened) => opened.eject(self.service()).await.map(Some),
            None => Ok(None),
        }
    }
}
