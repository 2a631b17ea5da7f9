//! What there is of a client's backups, and the removal of what newer ones have superseded.

use std::{collections::BTreeMap, time::Duration};

use backup_core::{BackupId, Envelope, Held, MethodId, Operation, Purpose};
use portal_api::{BackupSetView, BackupStatus};

use super::{
    status,
    turn::{Turn, now},
    types::{Inventory, KeptKey, KeyState, ListedBackup, Removed},
    view,
};
use crate::{
    Error, Result,
    records::{Enrollment, Enrollments, Leftovers},
};

/// The envelopes at the service, by their sets; without those that cannot be read.
type Envelopes = BTreeMap<BackupId, (usize, Envelope)>;

impl Turn<'_> {
    pub(super) async fn inventory(self) -> Result<Inventory> {
        let envelopes = self.envelopes().await;
        let superseded = self.superseded(&envelopes)?;
        let live = self.state().live();
        let backups = self.view.backups.iter().map(|set| ListedBackup {
            backup: status::backup(set, live),
            envelope_len: envelopes.get(&set.id).map(|(len, _)| *len),
            superseded: superseded.contains(&set.id),
        });
        let backups = backups.collect();
        let (held, unanswered) = self.held().await;
        let keys = held.into_iter().map(|held| self.kept_key(held, &envelopes));
        let keys = keys.collect::<Result<_>>()?;
        Ok(Inventory { backups, keys, unanswered, notices: self.into_notices() })
    }

    /// Removes those of `chosen` that are superseded, first at the service; then the keys that the
    /// device's own records name and no backup needs.
    pub(super) async fn remove_superseded(mut self, chosen: &[BackupId]) -> Result<Removed> {
        let mut backups = self.superseded(&self.envelopes().await)?;
        backups.retain(|id| chosen.contains(id));
        if !backups.is_empty() {
            let key = self.key()?;
            self.service().revoke(&key, backups.clone()).await?;
            self.look_again().await?;
        }
        let keys = self.retire_after(Duration::ZERO).await? + self.remove_late().await?;
        Ok(Removed { backups, keys, notices: self.into_notices() })
    }

    /// Removes what arrived after it was removed: of a backup that was given up while its key was
    /// on the way. It is removed once more when nothing can be on the way any longer. Says of how
    /// many keys it was.
    async fn remove_late(&self) -> Result<usize> {
        let leftovers = Leftovers::of(self.state()).map_err(Error::Device)?;
        let mut removed = 0;
        if leftovers.is_empty() {
            return Ok(removed);
        }
        let envelopes = self.envelopes().await;
        for held in self.held().await.0 {
            let is_left = leftovers.has(&held.method, &held.params);
            if is_left
                && self.opened_by(&held, &envelopes).is_empty()
                && self.remove(&held.method, &held.params).await.is_ok()
            {
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// What methods keep for the client, and those that could not be asked.
    async fn held(&self) -> (Vec<Held>, Vec<(MethodId, backup_core::Error)>) {
        let (mut all, mut unanswered) = (Vec::new(), Vec::new());
        for (id, method) in &self.portal.methods {
            let op = Operation::new(Purpose::Revoke, self.service().client());
            match method.held(&op).await {
                Ok(held) => all.extend(held),
                Err(error) => unanswered.push((id.clone(), error)),
            }
        }
        (all, unanswered)
    }

    async fn envelopes(&self) -> Envelopes {
        let mut envelopes = Envelopes::new();
        for set in &self.view.backups {
            let Ok(text) = self.service().envelope(&set.id).await else { continue };
            let Ok(envelope) = Envelope::parse(&text) else { continue };
            if envelope.header().backup == set.id {
                envelopes.insert(set.id.clone(), (text.len(), envelope));
            }
        }
        envelopes
    }

    /// The completed sets whose method has a newer one of the same wallets that this device made or
    /// opened, and knows to work. What the service says of itself is not enough.
    fn superseded(&self, envelopes: &Envelopes) -> Result<Vec<BackupId>> {
        if !self.is_live() {
            return Ok(Vec::new());
        }
        let enrollments = Enrollments::of(self.state()).map_err(Error::Device)?;
        let is_superseded = |set: &&BackupSetView| {
            let head = view::head(&self.view, &set.method);
            head.is_some_and(|head| {
                set.status == BackupStatus::Completed
                    && set.id != head.id
                    && set.pairs.iter().all(|(curve, pair)| {
                        let newer = head.pairs.get(curve);
                        newer.is_some_and(|newer| newer.public_key == pair.public_key)
                    })
                    && self.is_known_to_work(head, &enrollments, envelopes)
            })
        };
        Ok(self.view.backups.iter().filter(is_superseded).map(|set| set.id.clone()).collect())
    }

    fn is_known_to_work(
        &self,
        head: &BackupSetView,
        enrollments: &Enrollments,
        envelopes: &Envelopes,
    ) -> bool {
        let Some((_, envelope)) = envelopes.get(&head.id) else { return false };
        let fingerprint = envelope.header().enrollment();
        let is_known = self.state().head(&head.method).copied() == head.envelope_sha256
            && head.envelope_sha256 == Some(view::hash(&envelope.to_string()));
        let mut of_method = enrollments.of_method(&head.method);
        let is_proved = |known: &Enrollment| {
            known.is_current && known.fingerprint == fingerprint && known.proved_at.is_some()
        };
        head.proved && is_known && of_method.any(is_proved)
    }

    fn kept_key(&self, held: Held, envelopes: &Envelopes) -> Result<KeptKey> {
        let opens = self.opened_by(&held, envelopes);
        let state = match opens[..] {
            [] => self.state_of_key(&held, envelopes)?,
            _ => KeyState::OpensBackup,
        };
        Ok(KeptKey { method: held.method, state, opens })
    }

    /// The backups at the service whose slot is of what is held.
    fn opened_by(&self, held: &Held, envelopes: &Envelopes) -> Vec<BackupId> {
        let is_opened = |set: &&BackupSetView| {
            let header = envelopes.get(&set.id).map(|(_, envelope)| envelope.header());
            header.is_some_and(|header| {
                let slot = header.slot.as_ref();
                header.method == held.method
                    && slot.is_some_and(|slot| *slot.params() == held.params)
            })
        };
        self.view.backups.iter().filter(is_opened).map(|set| set.id.clone()).collect()
    }

    /// Of a key that no backup at the service names, as far as their envelopes can be read.
    fn state_of_key(&self, held: &Held, envelopes: &Envelopes) -> Result<KeyState> {
        let Held { method, params, .. } = held;
        let enrollments = Enrollments::of(self.state()).map_err(Error::Device)?;
        let leftovers = Leftovers::of(self.state()).map_err(Error::Device)?;
        let is_it = |known: &Enrollment| known.method == *method && known.params == *params;
        let mut of_method = self.view.backups.iter().filter(|set| set.method == *method);
        let is_superseded = self.is_live()
            && of_method.all(|set| envelopes.contains_key(&set.id))
            && view::head(&self.view, method)
                .is_some_and(|head| self.is_known_to_work(head, &enrollments, envelopes))
            && enrollments.due(now(), 0).iter().any(|(old, _)| is_it(old));
        Ok(if is_superseded || leftovers.has(method, params) {
            KeyState::Unneeded
        } else if enrollments.of_method(method).any(is_it) {
            KeyState::Enrolled
        } else {
            KeyState::Unknown
        })
    }
}
