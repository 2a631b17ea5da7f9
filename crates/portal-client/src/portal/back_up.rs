//! The first half of a backup: a slot, a pair of each wallet, an envelope; and the trial of a slot.

use backup_core::{
    BackupId, BackupMethod, ClientBackupShare, Envelope, MethodId, Operation, Progress,
    ProgressSink, Purpose, Sealer, Stage, secrecy::ExposeSecret,
};
use portal_api::{Completion, hold_statement};
use subtle::ConstantTimeEq;

use super::{
    turn::Turn,
    types::{BackUpOptions, BackedUp},
    view,
};
use crate::{
    Error, Result,
    device::{Half, Step, Trial},
    mpc::{self, MadeBackup},
    records::{self, Revocation},
};

/// How a backup is made.
pub(super) struct Plan<'a> {
    /// The method of the set.
    pub(super) method: MethodId,
    /// Who enrolls it, and opens what was stored; nobody, where the app keeps the key itself.
    pub(super) by: Option<&'a dyn BackupMethod>,
    /// What makes it without an enrolment.
    pub(super) sealer: Option<Sealer>,
    pub(super) trial: Trial,
    pub(super) completion: Completion,
}

/// A set that is completed, or waits for the word of its app.
pub(super) struct Made {
    pub(super) envelope: Envelope,
    pub(super) proved: bool,
}

impl Turn<'_> {
    pub(super) async fn back_up(
        mut self,
        method: &dyn BackupMethod,
        options: &BackUpOptions,
        progress: &dyn ProgressSink,
    ) -> Result<BackedUp> {
        self.live()?;
        let id = method.id();
        if options.by_notice {
            self.expect_no_commit(&id)?;
        }
        // What the app's word completes is no head of which this device knows that it is one.
        let anew = options.enroll_anew || options.by_notice;
        let silent = if anew { None } else { self.silent_sealer(method).await? };
        let enrolled = silent.is_none();
        if enrolled {
            let op = Operation::new(Purpose::Enroll, self.service().client());
            method.check(&op).await.map_err(|error| in_method(error, method))?;
        }
        let trial = match (enrolled, options.skip_trial) {
            (false, _) => Trial::NotNeeded,
            (true, true) => Trial::Declined,
            (true, false) => Trial::Awaited,
        };
        let completion = if options.by_notice { Completion::Notice } else { Completion::Commit };
        let plan = Plan { method: id, by: Some(method), sealer: silent, trial, completion };
        let Made { envelope, proved } = self.carry_out(plan, progress).await?;
        let (backup, cipher_text) = (envelope.header().backup.clone(), envelope.to_string());
        Ok(BackedUp { backup, enrolled, proved, cipher_text, notices: self.notices })
    }

    /// Makes a backup, or leaves nothing of it.
    pub(super) async fn carry_out(
        &mut self,
        plan: Plan<'_>,
        progress: &dyn ProgressSink,
    ) -> Result<Made> {
        match self.try_carry_out(plan, progress).await {
            Err(error) if matches!(error, Error::Method(_)) || error.is_refusal() => {
                self.give_up().await.and(Err(error))
            }
            // If it failed otherwise, it was perhaps committed: the next operation looks.
            outcome => outcome,
        }
    }

    /// What makes a backup without the user: only while the head is the one that this device knows,
    /// and its slot and sealing key are byte for byte those that it keeps.
    async fn silent_sealer(&self, method: &dyn BackupMethod) -> Result<Option<Sealer>> {
        let id = method.id();
        let sealer = self.state().sealer(&id).map_err(Error::Device)?;
        let (Some(sealer), Some(known)) = (sealer, self.state().head(&id)) else {
            return Ok(None);
        };
        let Some(head) = view::head(&self.view, &id) else { return Ok(None) };
        let text = match self.service().envelope(&head.id).await {
            Ok(text) => text,
            Err(error) if error.is_refusal() => return Ok(None),
            Err(error) => return Err(error),
        };
        let made = Envelope::parse(&text).is_ok_and(|envelope| sealer.made(&envelope));
        Ok((made && view::hash(&text) == *known).then_some(sealer))
    }

    async fn try_carry_out(&mut self, plan: Plan<'_>, progress: &dyn ProgressSink) -> Result<Made> {
        let Plan { method, by, sealer, trial, completion } = plan;
        let backup = self.begin_run(&method, trial)?;
        let sealer = match (sealer, by) {
            (Some(sealer), _) => sealer,
            (None, Some(by)) => self.enroll(by, progress).await?,
            (None, None) => return Err(Error::InvalidInput("no method makes this backup".into())),
        };
        progress.report(Progress::Stage(Stage::GeneratingShare));
        let service = &self.portal.service;
        let made = mpc::back_up(service, self.live()?, backup.clone(), method, completion).await?;
        progress.report(Progress::Stage(Stage::EncryptingShare));
        let envelope = match completion {
            Completion::Commit => self.seal_for_commit(&sealer, &backup, &made, trial)?,
            Completion::Notice => self.seal_for_notice(&sealer, &backup, &made)?,
        };
        if completion == Completion::Commit || self.view.backup_with_portal {
            progress.report(Progress::Stage(Stage::StoringShare));
            self.store(&envelope).await?;
            progress.report(Progress::Stage(Stage::ReadingShare));
            self.verify(&envelope).await?;
        }
        if let (Trial::Awaited, Some(by)) = (trial, by) {
            self.try_slot(by, &envelope, &made.shares, progress).await?;
        }
        let proved = match completion {
            Completion::Commit => self.finish(&envelope).await?,
            Completion::Notice => self.hand_over(&envelope)?,
        };
        Ok(Made { envelope, proved })
    }

    fn begin_run(&mut self, method: &MethodId, trial: Trial) -> Result<BackupId> {
        let backup = BackupId::generate().map_err(Error::Method)?;
        let replaces = view::head(&self.view, method).map(|head| head.id.clone());
        if Revocation::is_in(self.state()) {
            // Whatever of it is left is no longer to be destroyed: it may be needed again.
            self.update(|state| {
                Revocation::forget(state);
                Ok(())
            })?;
        }
        let journal = self.operation.journal();
        journal.start(method.clone(), backup.clone(), replaces, trial).map_err(Error::Device)?;
        Ok(backup)
    }

    /// Commits the set and takes it for the head; whether it is proved.
    async fn finish(&mut self, envelope: &Envelope) -> Result<bool> {
        let set = self.commit(envelope).await?;
        let run = self.operation.journal().run();
        let run = run.ok_or(Error::UnexpectedAnswer("its backup is gone".into()))?;
        self.conclude(&run)?;
        Ok(set.proved)
    }

    async fn enroll(
        &self,
        method: &dyn BackupMethod,
        progress: &dyn ProgressSink,
    ) -> Result<Sealer> {
        let op = Operation::new(Purpose::Enroll, self.service().client())
            .with_progress(progress)
            .with_journal(self.operation.journal());
        Sealer::enroll(method, &op).await.map_err(Error::Method)
    }

    /// Seals the shares, and keeps in the journal what finishing the backup takes.
    fn seal_for_commit(
        &mut self,
        sealer: &Sealer,
        backup: &BackupId,
        made: &MadeBackup,
        trial: Trial,
    ) -> Result<Envelope> {
        let envelope = sealer.seal(backup, &made.shares).map_err(Error::Method)?;
        let statement = hold_statement(self.service().client(), backup, &envelope);
        let halves = made.shares.iter().map(|share| half(share, made, &statement));
        let halves = halves.collect::<Result<Vec<_>>>()?;
        if trial != Trial::NotNeeded {
            // Without it the set could be completed and never be followed by a silent one.
            self.update(|state| records::set_new_sealer(state, sealer))?;
        }
        self.operation.journal().sealed(&envelope, halves).map_err(Error::Device)?;
        Ok(envelope)
    }

    /// Opens what was stored with nothing kept from the enrolment, and compares the shares.
    async fn try_slot(
        &self,
        method: &dyn BackupMethod,
        envelope: &Envelope,
        made: &[ClientBackupShare],
        progress: &dyn ProgressSink,
    ) -> Result<()> {
        let op = Operation::new(Purpose::Unlock, self.service().client()).with_progress(progress);
        let wallets: Vec<_> = made.iter().map(ClientBackupShare::wallet).collect();
        let opened = envelope.open(method, &op, &wallets).await.map_err(Error::Method)?;
        progress.report(Progress::Stage(Stage::ParsingShare));
        let is_same = opened.shares.len() == made.len()
            && opened.shares.iter().zip(made).all(|(opened, made)| is_same(opened, made));
        if !is_same {
            return Err(Error::Damaged("it opens to other shares than were sealed".into()));
        }
        self.advance(Step::Verify)?;
        self.operation.journal().passed_trial().map_err(Error::Device)
    }
}

fn half(share: &ClientBackupShare, made: &MadeBackup, statement: &[u8]) -> Result<Half> {
    let curve = share.wallet().curve();
    let own = made.halves.get(curve).ok_or(portal_mpc::Error::WrongCurve)?;
    Ok(Half { curve, pair: share.pair().clone(), proof: own.prove(statement)? })
}

fn is_same(opened: &ClientBackupShare, made: &ClientBackupShare) -> bool {
    let secrets = [opened, made].map(|share| share.secret().expose_secret());
    opened.pair() == made.pair()
        && opened.wallet() == made.wallet()
        && opened.client_commitment() == made.client_commitment()
        && opened.custodian_commitment() == made.custodian_commitment()
        && bool::from(secrets[0].ct_eq(secrets[1]))
}

fn in_method(error: backup_core::Error, method: &dyn BackupMethod) -> Error {
    Error::Method(error.in_method(&method.id()))
}
