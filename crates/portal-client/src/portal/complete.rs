//! The second half of a backup, which a crash may interrupt at any point: store, verify, commit,
//! conclude.

use backup_core::{BackupId, Envelope};
use portal_api::{BackupSetView, BackupStatus, Commit, PerCurve, Proof};

use super::{
    turn::{Turn, now},
    view,
};
use crate::{
    Error, Result,
    device::{BackupRun, Completion, Step, Trial},
    records::{self, Enrollments},
};

impl Turn<'_> {
    /// Stores the envelope; it is durable at the service when this returns.
    pub(super) async fn store(&self, envelope: &Envelope) -> Result<()> {
        self.advance(Step::Store)?;
        let backup = &envelope.header().backup;
        self.service().store_envelope(&self.key()?, backup, envelope.as_str()).await
    }

    /// Reads the envelope back by the route that a recovery takes, and compares it.
    pub(super) async fn verify(&self, envelope: &Envelope) -> Result<()> {
        self.advance(Step::Verify)?;
        let read = self.service().envelope(&envelope.header().backup).await?;
        if read != envelope.as_str() {
            return Err(Error::Damaged("the service returns another one than was stored".into()));
        }
        Ok(())
    }

    /// Has the service complete the set, in the place of the head that the journal names, and looks
    /// whether it did: an answer to a commit is a promise, and whoever recovers looks.
    pub(super) async fn commit(&mut self, envelope: &Envelope) -> Result<BackupSetView> {
        let completion = self.operation.journal().run().and_then(|run| run.completion);
        let Some(completion) = completion else {
            return Err(Error::Damaged("what its commit takes was not kept".into()));
        };
        let backup = &envelope.header().backup;
        let commit = commit_of(&completion, envelope);
        self.advance(Step::Commit)?;
        let set = self.service().commit(&self.key()?, backup, &commit).await?;
        check_completed(Some(&set), backup, &commit)?;
        self.look_again().await?;
        let set = self.view.backups.iter().find(|set| set.id == *backup);
        let set = check_completed(set, backup, &commit)?.clone();
        self.advance(Step::Done)?;
        Ok(set)
    }

    /// Takes the completed set for the method's head, and its enrolment for the method's own.
    pub(super) fn conclude(&mut self, run: &BackupRun) -> Result<()> {
        let text = run.envelope.as_deref().unwrap_or_default();
        let envelope = Envelope::parse(text).map_err(Error::Device)?;
        let trial = self.operation.journal().run().and_then(|run| Some(run.completion?.trial));
        let proved_at = (trial == Some(Trial::Passed)).then(now);
        self.update(|state| {
            if let Some(sealer) = records::new_sealer(state)?.filter(|new| new.made(&envelope)) {
                state.set_sealer(&sealer);
            }
            records::remove_new_sealer(state);
            state.set_head(run.method.clone(), view::hash(text));
            records::withdraw_leftovers(state, run)?;
            let mut enrollments = Enrollments::of(state)?;
            enrollments.note(envelope.header(), proved_at);
            enrollments.keep(state)
        })?;
        self.operation.journal().clear().map_err(Error::Device)
    }

    /// Writes down how far the backup has come. Where it is gone through once more, because the
    /// service has lost what it had answered for, it stays written how far it had been.
    pub(super) fn advance(&self, step: Step) -> Result<()> {
        let journal = self.operation.journal();
        if journal.run().is_some_and(|run| run.step >= step) {
            return Ok(());
        }
        journal.advance(step).map_err(Error::Device)
    }
}

fn commit_of(completion: &Completion, envelope: &Envelope) -> Commit {
    let proof = |curve| {
        let half = completion.halves.iter().find(|half| half.curve == curve);
        half.map(|half| Proof::from(half.proof))
    };
    Commit {
        replaces: completion.replaces.clone(),
        envelope_sha256: view::hash(envelope.as_str()),
        opened_after_enrollment: completion.trial == Trial::Passed,
        proofs: PerCurve {
            secp256k1: proof(backup_core::Curve::Secp256k1),
            ed25519: proof(backup_core::Curve::Ed25519),
        },
    }
}

fn check_completed<'a>(
    set: Option<&'a BackupSetView>,
    backup: &BackupId,
    commit: &Commit,
) -> Result<&'a BackupSetView> {
    set.filter(|set| {
        set.id == *backup
            && set.status == BackupStatus::Completed
            && set.envelope_sha256 == Some(commit.envelope_sha256)
    })
    .ok_or_else(|| Error::UnexpectedAnswer("it did not commit what it was asked to".into()))
}
