//! The wallet on a new device: from a backup, by the method and its user.

use backup_core::{
    BackupKey, BackupMethod, Curve, Envelope, ErrorKind, MethodId, Opened, Operation, Point,
    Progress, ProgressSink, Purpose, Stage,
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

/// By what a backup is opened.
#[derive(Clone, Copy)]
pub(super) enum By<'a> {
    /// A method, and its user.
    Method(&'a dyn BackupMethod),
    /// The key that the app has kept.
    Key(&'a BackupKey),
}

impl By<'_> {
    fn id(self) -> MethodId {
        match self {
            By::Method(method) => method.id(),
            By::Key(_) => MethodId::CUSTOM,
        }
    }

    async fn open(
        self,
        envelope: &Envelope,
        op: &Operation<'_>,
        wallets: &[Point],
    ) -> backup_core::Result<Opened> {
        match self {
            By::Method(method) => envelope.open(method, op, wallets).await,
            By::Key(key) => envelope.open_with_key(key, op.context(), wallets),
        }
    }
}

/// An envelope that was opened, with its shares checked.
pub(super) struct OpenedBackup {
    pub(super) shares: ByCurve<OpenedShare>,
    kept: records::Recovered,
}

impl Turn<'_> {
    pub(super) async fn recover(
        mut self,
        by: By<'_>,
        options: &RecoverOptions,
        progress: &dyn ProgressSink,
    ) -> Result<Recovered> {
        let sets = self.usable(by, options).await?;
        let replaced = self.view.signing.as_ref().map(|set| set.device_key);
        let mut first_error = None;
        for set in sets {
            match self.recover_from(&set, by, options, progress).await {
                Ok(()) => return self.recovered(set, replaced).await,
                Err(error) if is_of_this_backup(&error) => {
                    let reason = error.to_string();
                    self.notices.push(Notice::BackupUnusable { backup: set.id, reason });
                    first_error.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(first_error.unwrap_or(Error::NoBackup(by.id())))
    }

    /// The sets that may be opened in this way, the best first; the user is asked nothing yet.
    pub(super) async fn usable(
        &self,
        by: By<'_>,
        options: &RecoverOptions,
    ) -> Result<Vec<BackupSetView>> {
        let kept = options.cipher_text.as_deref().map(Envelope::parse).transpose();
        let kept = kept.map_err(Error::Method)?.map(|envelope| envelope.header().backup.clone());
        let mut sets = view::candidates(&self.view, &by.id(), options.backup.as_ref());
        sets.retain(|set| kept.as_ref().is_none_or(|kept| set.id == *kept));
        if sets.is_empty() {
            return Err(Error::NoBackup(by.id()));
        }
        if let By::Method(method) = by {
            let op = Operation::new(Purpose::Unlock, self.service().client());
            method.check(&op).await.map_err(|error| Error::Method(error.in_method(&by.id())))?;
        }
        Ok(sets.into_iter().cloned().collect())
    }

    async fn recover_from(
        &mut self,
        set: &BackupSetView,
        by: By<'_>,
        options: &RecoverOptions,
        progress: &dyn ProgressSink,
    ) -> Result<()> {
        let opened = self.open(set, by, options, progress).await?;
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

    /// The app's own copy, or that of the service.
    async fn fetch(&self, set: &BackupSetView, options: &RecoverOptions) -> Result<Envelope> {
        if let Some(text) = &options.cipher_text {
            return Envelope::parse(text).map_err(Error::Method);
        }
        let text = match self.service().envelope(&set.id).await {
            Err(error) if error.is_not_found() => {
                let lost = if self.view.backup_with_portal {
                    "the service has lost it"
                } else {
                    "the app keeps it, and did not give it"
                };
                return Err(Error::Damaged(lost.into()));
            }
            text => text?,
        };
        if set.envelope_sha256 != Some(view::hash(&text)) {
            return Err(Error::Damaged("the service returns another one than it names".into()));
        }
        Envelope::parse(&text).map_err(Error::Method)
    }

    /// Opens a backup, and checks that it is of the wallet that it should be of.
    pub(super) async fn open(
        &self,
        set: &BackupSetView,
        by: By<'_>,
        options: &RecoverOptions,
        progress: &dyn ProgressSink,
    ) -> Result<OpenedBackup> {
        let wallet = self.expected_wallet(set, options)?;
        progress.report(Progress::Stage(Stage::ReadingShare));
        let envelope = self.fetch(set, options).await?;
        let op = Operation::new(Purpose::Unlock, self.service().client())
            .with_progress(progress)
            .with_attempts(options.attempts.unwrap_or(Operation::DEFAULT_ATTEMPTS));
        let opened = by.open(&envelope, &op, &wallet.points()?).await.map_err(Error::Method)?;
        progress.report(Progress::Stage(Stage::ParsingShare));
        if envelope.header().backup != set.id {
            return Err(Error::Damaged("the service returns another backup's".into()));
        }
        let shares = opened.shares.iter().map(OpenedShare::check).collect::<Result<Vec<_>>>()?;
        let hash = view::hash(envelope.as_str());
        let is_head = set.head && set.envelope_sha256 == Some(hash);
        let kept = records::Recovered {
            envelope,
            head: is_head.then_some(hash),
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
