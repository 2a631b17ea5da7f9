//! The wallet on a new device: from a backup, by the method and its user.

use backup_core::{
    BackupMethod, Curve, Envelope, ErrorKind, Operation, Progress, ProgressSink, Purpose, Stage,
};
use portal_api::{BackupSetView, DevicePublicKey, ErrorId};
use portal_mpc::{ByCurve, PublicKey};

use super::{
    status::{addresses_of, backup},
    turn::{Turn, now},
    types::{Backup, Expected, RecoverOptions, Recovered},
    view,
};
use crate::{
    Addresses, Error, Notice, Result,
    mpc::{self, OpenedShare},
    records,
};

/// An envelope that was opened, with its shares checked.
struct OpenedBackup {
    shares: ByCurve<OpenedShare>,
    kept: records::Recovered,
}

impl Turn<'_> {
    pub(super) async fn recover(
        mut self,
        method: &dyn BackupMethod,
        options: &RecoverOptions,
        progress: &dyn ProgressSink,
    ) -> Result<Recovered> {
        let id = method.id();
        let sets = view::candidates(&self.view, &id, options.backup.as_ref());
        let sets: Vec<_> = sets.into_iter().cloned().collect();
        if sets.is_empty() {
            return Err(Error::NoBackup(id));
        }
        let op = Operation::new(Purpose::Unlock, self.service().client());
        method.check(&op).await.map_err(|error| Error::Method(error.in_method(&id)))?;
        let replaced = self.view.signing.as_ref().map(|set| set.device_key);
        let mut first_error = None;
        for set in sets {
            match self.recover_from(&set, method, options, progress).await {
                Ok(()) => return self.recovered(set, replaced).await,
                Err(error) if is_of_this_backup(&error) => {
                    let reason = error.to_string();
                    self.notices.push(Notice::BackupUnusable { backup: set.id, reason });
                    first_error.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(first_error.unwrap_or(Error::NoBackup(id)))
    }

    async fn recover_from(
        &mut self,
        set: &BackupSetView,
        method: &dyn BackupMethod,
        options: &RecoverOptions,
        progress: &dyn ProgressSink,
    ) -> Result<()> {
        let wallet = self.expected_wallet(set, options)?;
        progress.report(Progress::Stage(Stage::ReadingShare));
        let envelope = self.fetch(set).await?;
        let opened = self.open(set, &envelope, method, &wallet, options, progress).await?;
        progress.report(Progress::Stage(Stage::RecoveringSigningShare));
        let new = mpc::recover(&self.portal.service, opened.shares).await?;
        progress.report(Progress::Stage(Stage::StoringShare));
        // What was pending is never confirmed now: the service waits for this one.
        self.update(|state| {
            state.replace_pending(new);
            opened.kept.keep(state)
        })?;
        self.confirm_pending().await
    }

    /// The wallet that the backup has to be of: what the app knows, what this device knows, or, on
    /// a new device of an app that knows nothing, what the service says.
    fn expected_wallet(&self, set: &BackupSetView, options: &RecoverOptions) -> Result<Addresses> {
        if let Some(Expected::Wallet(wallet)) = &options.expected {
            return Ok(wallet.clone());
        }
        let claimed = view::backup_addresses(set)?;
        if let Some(Expected::Addresses(addresses)) = &options.expected {
            for (namespace, address) in addresses {
                if claimed.address(*namespace).as_ref() != Some(address) {
                    let wrong = format!("the backup is not of {address}");
                    return Err(Error::OtherWallet(wrong));
                }
            }
        }
        let own = addresses_of(self.state().live())?;
        let differs = |(curve, key): (Curve, &PublicKey)| {
            own.as_ref().and_then(|own| own.public_key(curve)).is_some_and(|own| own != key)
        };
        if claimed.iter().any(differs) {
            let wrong = "the backup is not of the wallet that this device keeps";
            return Err(Error::OtherWallet(wrong.into()));
        }
        Ok(claimed)
    }

    async fn fetch(&self, set: &BackupSetView) -> Result<Envelope> {
        let text = match self.service().envelope(&set.id).await {
            Err(error) if error.is_not_found() => {
                return Err(Error::Damaged("the service has lost it".into()));
            }
            text => text?,
        };
        if set.envelope_sha256 != Some(view::hash(&text)) {
            return Err(Error::Damaged("the service returns another one than it names".into()));
        }
        Envelope::parse(&text).map_err(Error::Method)
    }

    async fn open(
        &self,
        set: &BackupSetView,
        envelope: &Envelope,
        method: &dyn BackupMethod,
        wallet: &Addresses,
        options: &RecoverOptions,
        progress: &dyn ProgressSink,
    ) -> Result<OpenedBackup> {
        let op = Operation::new(Purpose::Unlock, self.service().client())
            .with_progress(progress)
            .with_attempts(options.attempts.unwrap_or(Operation::DEFAULT_ATTEMPTS));
        let points = wallet.points()?;
        let opened = envelope.open(method, &op, &points).await.map_err(Error::Method)?;
        progress.report(Progress::Stage(Stage::ParsingShare));
        if envelope.header().backup != set.id {
            return Err(Error::Damaged("the service returns another backup's".into()));
        }
        let shares = opened.shares.iter().map(OpenedShare::check).collect::<Result<Vec<_>>>()?;
        let kept = records::Recovered {
            envelope: envelope.clone(),
            head: set.head.then(|| view::hash(envelope.as_str())),
            opened_at: now(),
            sealer: opened.sealer,
        };
        Ok(OpenedBackup { shares: ByCurve::collect(shares)?, kept })
    }

    async fn recovered(
        mut self,
        set: BackupSetView,
        replaced: Option<DevicePublicKey>,
    ) -> Result<Recovered> {
        // The wallet is back, whether or not the service says now what else there is.
        let _ = self.look_again().await;
        let addresses = addresses_of(self.state().live())?.ok_or(Error::NoWallet)?;
        let replaced_device_made = self.made_by(replaced);
        let (backup, notices) = (set.id, self.notices);
        Ok(Recovered { addresses, backup, replaced_device_made, notices })
    }

    fn made_by(&self, device: Option<DevicePublicKey>) -> Vec<Backup> {
        let own = self.state().live();
        let made = self.view.backups.iter().filter(|set| Some(set.device_key) == device);
        made.map(|set| backup(set, own)).collect()
    }
}

/// Whether another backup may be usable although this one is not.
fn is_of_this_backup(error: &Error) -> bool {
    match error {
        Error::Damaged(_) => true,
        Error::Method(error) => matches!(
            error.kind(),
            ErrorKind::Damaged | ErrorKind::InvalidParams | ErrorKind::NotFound
        ),
        Error::Service { id, .. } => [ErrorId::NotFound, ErrorId::DkgRefreshMismatch].contains(id),
        _ => false,
    }
}
