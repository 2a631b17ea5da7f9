//! Places for envelopes that were just made, so that they need not be looked up.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use backup_core::{BackupId, EncryptionContext};

use super::{EnvelopeSlot, Store};

/// The places of the newest sets, with their clients, until their envelopes come.
///
/// A device sends the envelope as soon as it has made the set. What is remembered here decides
/// nothing: when the envelope is stored, the database looks at all of it again.
#[derive(Debug, Default)]
pub(super) struct FreshPlaces(Mutex<VecDeque<FreshPlace>>);

/// A client, and the place for the envelope of one of its sets.
pub type FreshPlace = (EncryptionContext, EnvelopeSlot);

/// How many are remembered: more than are under way at once. The oldest is forgotten first.
const MOST: usize = 256;

impl FreshPlaces {
    pub(super) fn remember(&self, made: Vec<FreshPlace>) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.extend(made);
        let too_many = places.len().saturating_sub(MOST);
        places.drain(..too_many);
    }

    fn take(&self, backup: &BackupId) -> Option<FreshPlace> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = places.iter().rposition(|(_, slot)| slot.id == *backup)?;
        places.remove(newest)
    }
}

impl Store {
    /// The place for the envelope of a set that was just made, once; `None` if it is not
    /// remembered.
    #[must_use]
    pub fn fresh_place(&self, backup: &BackupId) -> Option<FreshPlace> {
        self.fresh.take(backup)
    }
}

#[cfg(test)]
mod tests {
    use backup_core::{ClientId, CustodianId, MethodId};

    use super::*;

    fn place(backup: &BackupId) -> FreshPlace {
        let custodian = CustodianId::new("acme").unwrap();
        let context = EncryptionContext::new(custodian, ClientId::new("alice").unwrap());
        let slot = EnvelopeSlot {
            id: backup.clone(),
            number: 1,
            live_key: None,
            method: MethodId::PASSWORD,
            sha256: None,
            pairs: Vec::new(),
        };
        (context, slot)
    }

    #[test]
    fn the_newest_places_are_remembered_and_no_more_than_so_many() {
        let places = FreshPlaces::default();
        let ids: Vec<_> = (0..=MOST).map(|_| BackupId::generate().unwrap()).collect();
        places.remember(ids.iter().map(place).collect());
        assert!(places.take(&ids[0]).is_none());
        for id in &ids[1..] {
            assert_eq!(places.take(id).unwrap().1.id, *id);
            assert!(places.take(id).is_none(), "it is remembered once");
        }
    }
}
