//! The suites for stores and for key encryption, on the parts in memory.

use backup_testkit::{
    Fault, FaultyStore, KeyEncryptionFixture, MemoryKey, MemoryStore, StoreFixture,
};

struct InMemory(MemoryStore);

impl StoreFixture for InMemory {
    type Store = FaultyStore<MemoryStore>;

    fn new() -> Self {
        Self(MemoryStore::new())
    }

    fn store(&self) -> Self::Store {
        FaultyStore::new(self.0.clone())
    }

    fn with_back_end_away(&self) -> Option<Self::Store> {
        let away = self.store();
        away.inject(Fault::away());
        Some(away)
    }
}

mod memory_store {
    backup_testkit::key_store_conformance!(super::InMemory);
}

struct Keys(MemoryKey);

impl KeyEncryptionFixture for Keys {
    type Provider = MemoryKey;

    fn new() -> Self {
        Self(MemoryKey::generate().unwrap())
    }

    fn provider(&self) -> MemoryKey {
        self.0.clone()
    }

    fn with_another_key(&self) -> MemoryKey {
        MemoryKey::generate().unwrap()
    }
}

mod memory_key {
    backup_testkit::key_encryption_conformance!(super::Keys);
}
