//! The suites of `backup-testkit`, with a token that is good for one call.

use std::{future::Future, sync::Arc, time::Duration};

use backup_core::StoredKey;
use backup_methods_icloud::{Environment, ICloudStore};
use backup_testkit::{Fixture, StoreFixture};

use crate::common::{ALICE, BOB, User, World, store_at};

struct Account(World);

impl Account {
    /// Nobody listens there.
    fn away(&self) -> ICloudStore {
        let tokens = self.0.tokens(ALICE);
        let user = Arc::new(User::away());
        let store = store_at("http://127.0.0.1:9", Environment::Development, tokens, user);
        store.with_patience(Duration::ZERO).unwrap()
    }

    fn run<T>(rule: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(rule)
    }
}

impl StoreFixture for Account {
    type Store = ICloudStore;

    fn new() -> Self {
        let world = World::new();
        world.icloud.list_at_most(50);
        Self(world)
    }

    fn store(&self) -> ICloudStore {
        self.0.store()
    }

    fn with_back_end_away(&self) -> Option<ICloudStore> {
        Some(self.away())
    }

    fn many(&self) -> usize {
        120
    }

    async fn settle(&self) {
        self.0.icloud.settle().await;
    }

    fn block_on<T>(&self, rule: impl Future<Output = T>) -> T {
        Self::run(rule)
    }
}

impl Fixture for Account {
    type Method = StoredKey<ICloudStore>;

    fn new() -> Self {
        StoreFixture::new()
    }

    fn method(&self) -> Self::Method {
        StoredKey::new(self.store())
    }

    fn stores(&self) -> bool {
        true
    }

    fn left_behind(&self) -> Option<usize> {
        Some(self.0.icloud.records().len())
    }

    fn secrets(&self) -> Vec<String> {
        self.0.icloud.issued_tokens()
    }

    fn with_wrong_user(&self) -> Option<Self::Method> {
        Some(StoredKey::new(self.0.store_of(BOB)))
    }

    fn with_back_end_away(&self) -> Option<Self::Method> {
        Some(StoredKey::new(self.away()))
    }

    async fn settle(&self) {
        self.0.icloud.settle().await;
    }

    fn block_on<T>(&self, rule: impl Future<Output = T>) -> T {
        Self::run(rule)
    }
}

mod method {
    backup_testkit::conformance!(super::Account);
}

mod store {
    backup_testkit::key_store_conformance!(super::Account);
}
