//! Destroys the backups of a method: at the service first, then what opens them.

use backup_core::{BackupId, MethodId, MethodParams, Operation, ProgressSink, Purpose};
use portal_api::BackupStatus;

use super::turn::Turn;
use crate::{Error, Result, records::Enrollments};

impl Turn<'_> {
    pub(super) async fn revoke(
        mut self,
        method: &MethodId,
        progress: &dyn ProgressSink,
    ) -> Result<()> {
        let known = self.known_params(method)?;
        if !known.is_empty() {
            self.portal.method(method)?;
        }
        self.expect_it_gone(method).await?;
        for (fingerprint, params) in known {
            self.destroy(method, &params, progress).await?;
            self.update(|state| {
                let mut enrollments = Enrollments::of(state)?;
                enrollments.forget(&fingerprint);
                enrollments.keep(state)
            })?;
        }
        self.update(|state| {
            state.remove_sealer(method);
            Ok(())
        })
    }

    /// Forgets the head first: after a crash, a backup that was destroyed at the user's own wish
    /// must not look like one that the service has lost.
    async fn expect_it_gone(&mut self, method: &MethodId) -> Result<()> {
        let head = self.state().head(method).copied();
        if head.is_some() {
            self.update(|state| {
                state.remove_head(method);
                Ok(())
            })?;
        }
        let revoked = self.revoke_at_service(method).await;
        if let (Err(error), Some(head)) = (&revoked, head)
            && error.is_refusal()
        {
            self.update(|state| {
                state.set_head(method.clone(), head);
                Ok(())
            })?;
        }
        revoked
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
