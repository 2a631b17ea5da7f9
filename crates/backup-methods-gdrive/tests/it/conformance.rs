//! The suites of `backup-testkit`, in the hidden folder and in a visible one.

use std::{future::Future, sync::Arc, time::Duration};

use backup_core::StoredKey;
use backup_methods_gdrive::{DriveStore, Place};
use backup_testkit::{
    Fixture, StoreFixture,
    drive::{DriveDouble, WHOLE_DRIVE},
};

use crate::common::{ALICE, APP, BOB, Tokens, scope, visible};

/// A Drive with two users, of whom one is wrong.
struct Account {
    drive: DriveDouble,
    place: Place,
    tokens: [String; 2],
}

impl Account {
    fn new(place: Place) -> Self {
        let drive = DriveDouble::start();
        drive.list_at_most(50);
        let tokens = [ALICE, BOB].map(|user| drive.token(user, APP, &[scope(&place)]));
        Self { drive, place, tokens }
    }

    fn store(&self, token: &str) -> DriveStore {
        Self::store_at(self.drive.url(), token, &self.place)
    }

    fn store_at(url: &str, token: &str, place: &Place) -> DriveStore {
        let tokens = Arc::new(Tokens::new(&[token]));
        let store = DriveStore::at(url, tokens, place.clone()).unwrap();
        store.with_patience(Duration::from_secs(2)).unwrap()
    }

    /// Nobody listens there.
    fn away(&self) -> DriveStore {
        let store = Self::store_at("http://127.0.0.1:9", &self.tokens[0], &self.place);
        store.with_patience(Duration::ZERO).unwrap()
    }

    fn run<T>(rule: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(rule)
    }

    /// Without folders.
    fn keys(&self) -> usize {
        self.drive.files().iter().filter(|file| !file.content.is_empty()).count()
    }
}

macro_rules! account {
    ($name:ident, $place:expr) => {
        struct $name(Account);

        impl StoreFixture for $name {
            type Store = DriveStore;

            fn new() -> Self {
                Self(Account::new($place))
            }

            fn store(&self) -> DriveStore {
                self.0.store(&self.0.tokens[0])
            }

            fn with_back_end_away(&self) -> Option<DriveStore> {
                Some(self.0.away())
            }

            fn many(&self) -> usize {
                120
            }

            async fn settle(&self) {
                self.0.drive.settle().await;
            }

            fn block_on<T>(&self, rule: impl Future<Output = T>) -> T {
                Account::run(rule)
            }
        }

        impl Fixture for $name {
            type Method = StoredKey<DriveStore>;

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
                Some(self.0.keys())
            }

            fn secrets(&self) -> Vec<String> {
                self.0.tokens.to_vec()
            }

            fn with_wrong_user(&self) -> Option<Self::Method> {
                Some(StoredKey::new(self.0.store(&self.0.tokens[1])))
            }

            fn with_back_end_away(&self) -> Option<Self::Method> {
                Some(StoredKey::new(self.0.away()))
            }

            async fn settle(&self) {
                self.0.drive.settle().await;
            }

            fn block_on<T>(&self, rule: impl Future<Output = T>) -> T {
                Account::run(rule)
            }
        }
    };
}

account!(Hidden, Place::Hidden);
account!(Visible, visible());

mod hidden {
    backup_testkit::conformance!(super::Hidden);
}

mod visible_folder {
    backup_testkit::conformance!(super::Visible);
}

mod hidden_store {
    backup_testkit::key_store_conformance!(super::Hidden);
}

mod visible_store {
    backup_testkit::key_store_conformance!(super::Visible);
}

/// The double keeps to the scopes, or the suites would show nothing about them.
#[test]
fn a_token_of_another_scope_does_not_see_the_hidden_folder() {
    let drive = DriveDouble::start();
    let token = drive.token(ALICE, APP, &[WHOLE_DRIVE]);
    let store = Account::store_at(drive.url(), &token, &Place::Hidden);
    let client = backup_testkit::Client::new();
    let op = client.op(backup_core::Purpose::Unlock);
    let error = Account::run(backup_core::KeyStore::check(&store, &op)).unwrap_err();
    assert_eq!(
        backup_methods_gdrive::DriveProblem::of(&error),
        Some(&backup_methods_gdrive::DriveProblem::SignInNeeded)
    );
}
