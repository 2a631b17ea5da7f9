//! Private keys, out of a backup: after that, two parties protect the wallet no longer.

use backup_core::{Curve, Progress, ProgressSink, Stage};
use portal_api::BackupSetView;
use portal_mpc::{ByCurve, PrivateKey};

use super::{
    recover::By,
    turn::Turn,
    types::{EjectOptions, Ejected},
    view,
};
use crate::{Addresses, Error, Result, custodian::CustodianShare, mpc::OpenedShare};

impl Turn<'_> {
    pub(super) async fn eject(
        self,
        by: By<'_>,
        options: &EjectOptions,
        progress: &dyn ProgressSink,
    ) -> Result<Ejected> {
        let given = options.custodian_shares.as_ref();
        let set = of_halves(self.usable(by, &options.open).await?, &given)?;
        let is_asked = |curve: Curve| options.only.is_none_or(|only| only == curve);
        // The user is asked for nothing while the custodian does not allow it.
        for (curve, key) in view::backup_addresses(&set)?.iter() {
            if is_asked(curve) && given.get(curve).is_none() {
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
            secp256k1: self.private_key(wanted.secp256k1, given.secp256k1).await?,
            ed25519: self.private_key(wanted.ed25519, given.ed25519).await?,
        };
        Ok(Ejected { keys, addresses, backup: set.id, notices: self.notices })
    }

    async fn private_key(
        &self,
        opened: Option<OpenedShare>,
        given: Option<&CustodianShare>,
    ) -> Result<Option<PrivateKey>> {
        match (opened, given) {
            (Some(opened), Some(share)) => opened.eject_with(share.half()).map(Some),
            (Some(opened), None) => opened.eject(self.service()).await.map(Some),
            (None, _) => Ok(None),
        }
    }
}

/// The best of the sets that all of these halves are of.
fn of_halves(sets: Vec<BackupSetView>, given: &ByCurve<&CustodianShare>) -> Result<BackupSetView> {
    let is_of = |set: &BackupSetView| {
        let pair = |curve| set.pairs.get(curve).map(|pair| &pair.id);
        given.iter().all(|(curve, half)| pair(curve) == Some(half.pair()))
    };
    sets.into_iter().find(is_of).ok_or_else(|| {
        let wrong = "the custodian's halves are not of a backup that can be opened in this way";
        Error::InvalidInput(wrong.into())
    })
}
