//! Destroys the backups of a method: at the service first, then what opens them.

use backup_core::{BackupId, MethodId, MethodParams, Operation, Progress, ProgressSink, Purpose};
use portal_api::{BackupSetView, BackupStatus};

use super::turn::Turn;
use crate::{
    Error, Notice, Result,
    records::{Enrollments, Revocation},
};

impl Turn<'_> {
    pub(super) async fn revoke(
        mut self,
        method: &MethodId,
        progress: &dyn ProgressSink,
    ) -> Result<()> {
        if !self.known_params(method)?.is_empty() {
            self.portal.method(method)?;
        }
        self.expect_it_gone(method).await?;
        self.destroy_what_opens(method, progress).await
    }

    /// Finishes a revocation that was interrupted after the service had done its part. If it had
    /// not, nothing was destroyed, and it is for the user to ask again.
    pub(super) async fn finish_revocation(&mut self) -> Result<()> {
        let under_way = Revocation::of(self.state()).map_err(Error::Device)?;
        let Some(Revocation { method }) = under_way else { return Ok(()) };
        let is_there =
            |set: &BackupSetView| set.method == method && set.status == BackupStatus::Completed;
        if !self.is_live() || self.view.backups.iter().any(is_there) {
            return self.update(|state| {
                Revocation::forget(state);
                Ok(())
            });
        }
        let finished = match self.can_revoke(&method).await {
            Ok(()) => self.destroy_what_opens(&method, &|_: Progress| {}).await,
            Err(error) => Err(error),
        };
        self.notices.push(match finished {
            Ok(()) => Notice::RevocationFinished { method },
            Err(Error::Device(error)) => return Err(Error::Device(error)),
            Err(_) => Notice::NotRemoved { method },
        });
        Ok(())
    }

    /// Forgets the head first, and notes why: after a crash, a backup that was destroyed at the
    /// user's own wish must not look like one that the service has lost.
    async fn expect_it_gone(&mut self, method: &MethodId) -> Result<()> {
        let head = self.state().head(method).copied();
        self.update(|state| {
            state.remove_head(method);
            Revocation { method: method.clone() }.keep(state)
        })?;
        let revoked = self.revoke_at_service(method).await;
        if revoked.as_ref().is_err_and(Error::is_refusal) {
            self.update(|state| {
                Revocation::forget(state);
                if let Some(head) = head {
                    state.set_head(method.clone(), head);
                }
                Ok(())
            })?;
        }
        revoked
    }

    /// What methods left is forgotten as it is destroyed.
    async fn destroy_what_opens(
        &mut self,
        method: &MethodId,
        progress: &dyn ProgressSink,
    ) -> Result<()> {
        for (fingerprint, params) in self.known_params(method)? {
            self.destroy(method, &params, progress).await?;
            self.update(|state| {
                let mut enrollments = Enrollments::of(state)?;
                enrollments.forget(&fingerprint);
                enrollments.keep(state)
            })?;
        }
        self.update(|state| {
            state.remove_sealer(method);
            Revocation::forget(state);
            Ok(())
        })
    }

    /// Whether the method can now, without the user, destroy what it has to.
    async fn can_revoke(&self, method: &MethodId) -> Result<()> {
        if self.known_params(method)?.is_empty() {
            return Ok(());
        }
        let op = Operation::new(Purpose::Revoke, self.service().client());
        self.portal.method(method)?.check(&op).await.map_err(Error::Method)
    }

    /// From the device's own records only: whoever else names parameters may name the wrong ones.
    fn known_params(&self, method: &MethodId) -> Result<Vec<([u8; 32], MethodParams)>> {
        let enrollments = Enrollments::of(self.state()).map_err(Error::Device)?;
        let of_method = enrollments.of_method(method);
        Ok(of_method.map(|known| (known.fingerprint, known.params.clone())).collect())
    }

    async fn revoke_at_service(&self, method: &MethodId) -> Result<()> {
        let key = self.key()?;
        let of_method = || self.view.backups.iter().filter(|set| set.method == *method);
        let completed = of_method().filter(|set| set.status == BackupStatus::Completed);
        let completed: Vec<BackupId> = completed.map(|set| set.id.clone()).collect();
        if !completed.is_empty() {
            self.service().revoke(&key, completed).await?;
        }
        for pending in of_method().filter(|set| set.status == BackupStatus::Pending) {
            self.service().drop_pending(&key, &pending.id).await?;
        }
        Ok(())
    }

    async fn destroy(
        &self,
        method: &MethodId,
        params: &MethodParams,
        progress: &dyn ProgressSink,
    ) -> Result<()> {
        let method = self.portal.method(method)?;
        let op = Operation::new(Purpose::Revoke, self.service().client()).with_progress(progress);
        let revoked = method.revoke(&op, params).await;
        revoked.map_err(|error| Error::Method(error.in_method(&method.id())))
    }
}
