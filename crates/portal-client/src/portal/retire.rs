//! Destroys wrapping keys that no backup needs any more. Whatever is in doubt is kept.

use std::time::Duration;

use backup_core::Envelope;

use super::{
    turn::{Turn, now},
    view,
};
use crate::{
    Error, Notice, Result,
    records::{Enrollment, Enrollments},
};

impl Turn<'_> {
    /// Destroys what superseded enrolments left with their methods, once this device has known for
    /// the grace that their successor works, and the service has no backup of them.
    pub(super) async fn retire(&mut self) -> Result<()> {
        self.retire_after(self.portal.grace).await.map(drop)
    }

    /// The same after another time than the grace. Says of how many enrolments it was.
    pub(super) async fn retire_after(&mut self, grace: Duration) -> Result<usize> {
        let mut retired = 0;
        if !self.is_live() {
            return Ok(retired);
        }
        let enrollments = Enrollments::of(self.state()).map_err(Error::Device)?;
        for (old, newer) in enrollments.due(now(), grace.as_secs()) {
            if self.is_unneeded(&old, &newer).await
                && self.remove(&old.method, &old.params).await.is_ok()
            {
                self.update(|state| {
                    let mut enrollments = Enrollments::of(state)?;
                    enrollments.forget(&old.fingerprint);
                    enrollments.keep(state)
                })?;
                self.notices.push(Notice::Retired { method: old.method });
                retired += 1;
            }
        }
        Ok(retired)
    }

    /// Whether the head is the one that this device knows, of the newer enrolment, and no backup
    /// at the service is of the old one.
    async fn is_unneeded(&self, old: &Enrollment, newer: &Enrollment) -> bool {
        let mut knows_head = false;
        for set in self.view.backups.iter().filter(|set| set.method == old.method) {
            let Ok(text) = self.service().envelope(&set.id).await else { return false };
            let Ok(envelope) = Envelope::parse(&text) else { return false };
            if envelope.header().backup != set.id {
                return false;
            }
            let enrollment = envelope.header().enrollment();
            if enrollment == old.fingerprint {
                return false;
            }
            if set.head {
                let known = self.state().head(&old.method);
                knows_head = enrollment == newer.fingerprint && known == Some(&view::hash(&text));
            }
        }
        knows_head
    }
}
