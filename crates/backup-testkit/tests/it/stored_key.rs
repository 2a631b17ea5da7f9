//! The suite on the reference storing method.

use backup_core::StoredKey;
use backup_testkit::{Fixture, MemoryStore};

struct InMemory(MemoryStore);

impl Fixture for InMemory {
    type Method = StoredKey<MemoryStore>;

    fn new() -> Self {
        Self(MemoryStore::new())
    }

    fn method(&self) -> Self::Method {
        StoredKey::new(self.0.clone())
    }

    fn stores(&self) -> bool {
        true
    }

    fn left_behind(&self) -> Option<usize> {
        Some(self.0.len())
    }

    fn with_wrong_user(&self) -> Option<Self::Method> {
        Some(StoredKey::new(MemoryStore::new()))
    }
}

backup_testkit::conformance!(InMemory);
