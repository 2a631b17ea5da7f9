//! The suite on two of three: a store, a store of the same kind, and a threshold of two more.

use std::sync::Arc;

use backup_core::{BackupMethod, StoredKey, Threshold};
use backup_testkit::{Fault, FaultyStore, Fixture, MemoryStore};

struct TwoOfThree([MemoryStore; 4]);

impl TwoOfThree {
    fn over(stores: &[MemoryStore; 4], faults: &[Fault]) -> Threshold {
        let [home, office, phone, tablet] =
            stores.each_ref().map(|store| stored_key(store, faults));
        let devices = Threshold::new(1, [("phone", phone), ("tablet", tablet)]).unwrap();
        let devices: Arc<dyn BackupMethod> = Arc::new(devices);
        Threshold::new(2, [("home", home), ("office", office), ("devices", devices)]).unwrap()
    }
}

fn stored_key(store: &MemoryStore, faults: &[Fault]) -> Arc<dyn BackupMethod> {
    let store = FaultyStore::new(store.clone());
    faults.iter().for_each(|fault| store.inject(*fault));
    Arc::new(StoredKey::new(store))
}

impl Fixture for TwoOfThree {
    type Method = Threshold;

    fn new() -> Self {
        Self(std::array::from_fn(|_| MemoryStore::new()))
    }

    fn method(&self) -> Threshold {
        Self::over(&self.0, &[])
    }

    fn stores(&self) -> bool {
        true
    }

    fn left_behind(&self) -> Option<usize> {
        Some(self.0.iter().map(MemoryStore::len).sum())
    }

    fn with_wrong_user(&self) -> Option<Threshold> {
        Some(Self::over(&Self::new().0, &[]))
    }

    fn with_back_end_away(&self) -> Option<Threshold> {
        Some(Self::over(&self.0, &[Fault::away()]))
    }

    fn parts(&self) -> Vec<Arc<dyn BackupMethod>> {
        self.0.iter().map(|store| stored_key(store, &[])).collect()
    }
}

backup_testkit::conformance!(TwoOfThree);
