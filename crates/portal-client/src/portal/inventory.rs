//! What there is of a client's backups, and the removal of what newer ones have superseded.

use std::{collections::BTreeMap, time::Duration};

use backup_core::{BackupId, Envelope, MethodId, MethodParams, Operation, Purpose};
use portal_api::{BackupSetView, BackupStatus};

use super::{
    status,
    turn::Turn,
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
        let (mut keys, mut unanswered) = (Vec::new(), Vec::new());
        for (id, method) in &self.portal.methods {
            let op = Operation::new(Purpose::Revoke, self.service().client());
            match method.held(&op).await {
                Ok(held) => {
                    for held in held {
                        let state = self.state_of_key(&held.method, &held.params, &envelopes)?;
                        keys.push(KeptKey { method: held.method, state });
                    }
                }
                Err(error) => unanswered.push((id.clone(), error)),
            }
        }
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
        let keys = self.retire_after(Duration::ZERO).await?;
        Ok(Removed { backups, keys, notices: self.into_notices() })
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

    fn state_of_key(
        &self,
        method: &MethodId,
        params: &MethodParams,
        envelopes: &Envelopes,
    ) -> Result<KeyState> {
        let opens = |(_, envelope): &(usize, Envelope)| {
            let header = envelope.header();
            let slot = header.slot.as_ref();
            header.method == *method && slot.is_some_and(|slot| slot.params() == params)
        };
        if envelopes.values().any(opens) {
            return Ok(KeyState::OpensBackup);
        }
        let enrollments = Enrollments::of(self.state()).map_err(Error::Device)?;
        let leftovers = Leftovers::of(self.state()).map_err(Error::Device)?;
        let is_known = enrollments.of_method(method).any(|known| known.params == *params);
        Ok(if is_known || leftovers.has(method, params) {
            KeyState::Unneeded
        } else {
            KeyState::Unknown
        })
    }
}
