//! Finishes or removes what an earlier operation, or a crash, left behind, without the user.

use backup_core::{Envelope, MethodId, MethodParams, Operation, Purpose};
use portal_api::ErrorId;

use super::{
    turn::{Turn, now},
    view,
};
use crate::{
    Error, Notice, Result,
    device::{
        BackupRun, Decision, SigningDecision, Step, WalletOperation, after_crash,
        after_replacement, of_signing,
    },
    records::{self, Leftover, Leftovers, Recovered, Revocation},
};

/// Whether there is something to finish.
pub(super) fn is_pending(operation: &WalletOperation<'_>) -> bool {
    let state = operation.state();
    let leftovers = Leftovers::of(state).is_ok_and(|left| !left.due(now()).is_empty());
    state.pending().is_some()
        || operation.journal().run().is_some()
        || leftovers
        || Revocation::is_in(state)
}

impl Turn<'_> {
    pub(super) async fn finish_interrupted(&mut self) -> Result<()> {
        self.finish_signing().await?;
        self.finish_backup().await?;
        self.finish_revocation().await?;
        self.remove_leftovers().await?;
        self.notice_rollback();
        self.retire().await
    }

    async fn finish_signing(&mut self) -> Result<()> {
        match of_signing(self.state(), view::server_signing(self.state(), &self.view)) {
            SigningDecision::Nothing | SigningDecision::KeepBoth => Ok(()),
            SigningDecision::Drop => self.update(|state| {
                state.drop_pending();
                Recovered::forget(state);
                Ok(())
            }),
            // What is live at the service already signs once more: that is how the device knows.
            SigningDecision::Confirm | SigningDecision::SendAgain => self.confirm_again().await,
        }
    }

    async fn confirm_again(&mut self) -> Result<()> {
        match self.confirm_pending().await {
            Ok(()) => self.notices.push(Notice::WalletLive),
            Err(error) if error.is_refusal() => {
                self.notices.push(Notice::WalletNotConfirmed { reason: error.to_string() });
            }
            Err(error) => return Err(error),
        }
        self.look_again().await
    }

    async fn finish_backup(&mut self) -> Result<()> {
        let Some(run) = self.operation.journal().run() else { return Ok(()) };
        let server = view::server_set(&run, &self.view);
        let decide = if self.is_live() { after_crash } else { after_replacement };
        match decide(Some(&run), server) {
            Decision::Nothing => Ok(()),
            Decision::RollBack(announced) => self.roll_back(&run, announced).await,
            Decision::Leave => self.leave(&run),
            Decision::Conclude => self.conclude_interrupted(&run),
            Decision::FinishFrom(step) => self.finish_from(step, run).await,
        }
    }

    fn conclude_interrupted(&mut self, run: &BackupRun) -> Result<()> {
        self.conclude(run)?;
        let (method, backup) = (run.method.clone(), run.backup.clone());
        self.notices.push(Notice::BackupFinished { method, backup });
        Ok(())
    }

    async fn finish_from(&mut self, step: Step, run: BackupRun) -> Result<()> {
        let finished = match self.try_finish_from(step, &run).await {
            Ok(()) => self.conclude_interrupted(&run),
            Err(error) if error.is_refusal() => self.give_up().await,
            Err(error) => return Err(error),
        };
        finished?;
        self.look_again().await
    }

    async fn try_finish_from(&mut self, step: Step, run: &BackupRun) -> Result<()> {
        let text = run.envelope.as_deref().unwrap_or_default();
        let envelope = Envelope::parse(text).map_err(Error::Device)?;
        if step <= Step::Store {
            self.store(&envelope).await?;
        }
        if step <= Step::Verify {
            self.verify(&envelope).await?;
        }
        self.commit(&envelope).await.map(drop)
    }

    /// Gives up the backup that is under way: it was refused, or the method or its user declined.
    pub(super) async fn give_up(&mut self) -> Result<()> {
        let Some(run) = self.operation.journal().run() else { return Ok(()) };
        if run.step < Step::Commit {
            let announced = run.announced.clone();
            return self.roll_back(&run, announced).await;
        }
        self.leave(&run)
    }

    async fn roll_back(
        &mut self,
        run: &BackupRun,
        announced: Vec<(MethodId, MethodParams)>,
    ) -> Result<()> {
        self.update(|state| {
            let mut leftovers = Leftovers::of(state)?;
            leftovers.add(announced);
            leftovers.keep(state)?;
            records::remove_new_sealer(state);
            Ok(())
        })?;
        if let Ok(key) = self.key() {
            match self.service().drop_pending(&key, &run.backup).await {
                // The word of an app has completed it meanwhile.
                Err(Error::Service { id: ErrorId::StateInvalid, .. }) => return self.leave(run),
                // Perhaps it has, and the answer was lost: the next operation looks.
                Err(error) if !error.is_refusal() => return Err(error),
                // Dropped; or refused, and the next backup of this method takes its place.
                _ => {}
            }
        }
        self.operation.journal().clear().map_err(Error::Device)?;
        let (method, backup) = (run.method.clone(), run.backup.clone());
        self.notices.push(Notice::BackupAbandoned { method, backup });
        self.remove_leftovers().await
    }

    fn leave(&mut self, run: &BackupRun) -> Result<()> {
        self.update(|state| {
            records::remove_new_sealer(state);
            records::withdraw_leftovers(state, run)
        })?;
        self.operation.journal().clear().map_err(Error::Device)?;
        let (method, backup) = (run.method.clone(), run.backup.clone());
        self.notices.push(Notice::BackupLeft { method, backup });
        Ok(())
    }

    /// Has methods remove what abandoned enrolments left with them, if they can without the user.
    async fn remove_leftovers(&mut self) -> Result<()> {
        let mut leftovers = Leftovers::of(self.state()).map_err(Error::Device)?;
        let due = leftovers.due(now());
        if due.is_empty() {
            return Ok(());
        }
        for leftover in due {
            if self.remove(&leftover.method, &leftover.params).await.is_ok() {
                leftovers.removed(&leftover, now());
            } else {
                self.notice_kept(leftover);
            }
        }
        self.update(|state| leftovers.keep(state))
    }

    fn notice_kept(&mut self, Leftover { method, .. }: Leftover) {
        let notice = Notice::NotRemoved { method };
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// Has a method destroy what `params` name, if it can now, without the user.
    pub(super) async fn remove(&self, method: &MethodId, params: &MethodParams) -> Result<()> {
        let method = self.portal.method(method)?;
        let op = Operation::new(Purpose::Revoke, self.service().client());
        method.check(&op).await.map_err(Error::Method)?;
        method.revoke(&op, params).await.map_err(Error::Method)
    }
}
