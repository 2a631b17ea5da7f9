//! Backups that the word of their app completes: sealed and handed over, and no more.

use backup_core::{BackupId, BackupKey, EncryptionKey, Envelope, MethodId, ProgressSink, Sealer};
use portal_api::{Completion, ErrorId};

use super::{
    back_up::{Made, Plan},
    status::addresses_of,
    turn::{Turn, now},
    types::GeneratedBackupShare,
    view,
};
use crate::{
    Error, Result,
    device::Trial,
    mpc::{MadeBackup, OpenedShare},
    records::{self, Enrollments},
};

impl Turn<'_> {
    /// A backup whose key the app keeps itself.
    pub(super) async fn generate_backup_share(
        mut self,
        progress: &dyn ProgressSink,
    ) -> Result<GeneratedBackupShare> {
        self.live()?;
        let (method, completion) = (MethodId::CUSTOM, Completion::Notice);
        self.expect_no_commit(&method)?;
        let client = self.service().client();
        let (sealer, key) = Sealer::without_slot(client).map_err(Error::Method)?;
        let (sealer, trial) = (Some(sealer), Trial::Declined);
        let plan = Plan { method, by: None, sealer, trial, completion };
        let Made { envelope, .. } = self.carry_out(plan, progress).await?;
        self.expect_key_opens(&envelope, &key)?;
        Ok(GeneratedBackupShare {
            backup: envelope.header().backup.clone(),
            cipher_text: envelope.to_string(),
            encryption_key: EncryptionKey::from(key),
            notices: self.notices,
        })
    }

    /// Opens what is handed over as a recovery does.
    fn expect_key_opens(&self, envelope: &Envelope, key: &BackupKey) -> Result<()> {
        let wallet = addresses_of(self.state().live())?.ok_or(Error::NoWallet)?;
        let client = self.service().client();
        let opened = envelope.open_with_key(key, client, &wallet.points()?);
        let opened = opened.map_err(Error::Method)?;
        opened.shares.iter().try_for_each(|share| OpenedShare::check(share).map(drop))
    }

    /// What a device has committed is superseded only by what a device commits: the service
    /// refuses anything else, and the user is not asked for it.
    pub(super) fn expect_no_commit(&self, method: &MethodId) -> Result<()> {
        let mut sets = self.view.backups.iter();
        if sets.any(|set| set.method == *method && view::is_committed(set)) {
            return Err(Error::InvalidInput(format!(
                "backups of {method} are committed by this wallet's devices: back up without a \
                 notice, or use another method"
            )));
        }
        Ok(())
    }

    /// Seals the shares. A crash before they are handed over leaves nothing to finish.
    pub(super) fn seal_for_notice(
        &self,
        sealer: &Sealer,
        backup: &BackupId,
        made: &MadeBackup,
    ) -> Result<Envelope> {
        let envelope = sealer.seal(backup, &made.shares).map_err(Error::Method)?;
        self.operation.journal().sealed(&envelope, Vec::new()).map_err(Error::Device)?;
        Ok(envelope)
    }

    /// From here on the app decides: whatever may be needed is kept. That it is proved nobody
    /// knows yet.
    pub(super) fn hand_over(&mut self, envelope: &Envelope) -> Result<bool> {
        let run = self.operation.journal().run();
        let run = run.ok_or(Error::UnexpectedAnswer("its backup is gone".into()))?;
        let trial = run.completion.as_ref().map(|completion| completion.trial);
        let opened_at = (trial == Some(Trial::Passed)).then(now);
        self.update(|state| {
            records::withdraw_leftovers(state, &run)?;
            // The app's word will make another one the newest.
            state.remove_head(&run.method);
            let mut enrollments = Enrollments::of(state)?;
            enrollments.note(envelope.header(), opened_at);
            enrollments.keep(state)
        })?;
        self.operation.journal().clear().map_err(Error::Device)?;
        Ok(false)
    }

    /// Tells the service what the app says. A repeated word is refused as a late one is; so if the
    /// answer to the first was lost, whether it counted is seen.
    pub(super) async fn tell_stored(mut self, method: &MethodId, success: bool) -> Result<()> {
        let before = view::head(&self.view, method).map(|head| head.id.clone());
        let told = self.service().stored_share(method, success).await;
        if !matches!(told, Err(Error::Service { id: ErrorId::StateInvalid, .. })) {
            return told;
        }
        self.look_again().await?;
        let head = view::head(&self.view, method).map(|head| &head.id);
        if head.is_some() && head != before.as_ref() { Ok(()) } else { told }
    }
}
