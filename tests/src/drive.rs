//! A store in a double of Google Drive, of an app that has signed its user in.

use std::sync::Arc;

use backup_core::{Result, async_trait};
use backup_methods_gdrive::{AccessToken, DriveStore, Place, Scope, TokenSource};
use backup_testkit::drive::{APP_DATA, DriveDouble, OWN_FILES};

/// The user.
pub const USER: &str = "user@example.com";
/// The app that they signed in to.
pub const APP: &str = "the-app";

#[derive(Debug)]
struct SignedIn(String);

#[async_trait]
impl TokenSource for SignedIn {
    async fn token(&self, _: Scope) -> Result<AccessToken> {
        Ok(AccessToken::new(self.0.clone()))
    }

    async fn discard(&self, _: &AccessToken) -> Result<()> {
        Ok(())
    }
}

/// Keys in the hidden folder of the user's.
#[must_use]
pub fn store(drive: &DriveDouble) -> DriveStore {
    store_in(drive, Place::Hidden)
}

/// Keys in this place of the user's.
#[must_use]
pub fn store_in(drive: &DriveDouble, place: Place) -> DriveStore {
    let scope = if place == Place::Hidden { APP_DATA } else { OWN_FILES };
    store_by(drive, drive.token(USER, APP, &[scope]), place)
}

/// Keys in this place of whomever `token` is for.
///
/// # Panics
///
/// If the double has an address that no store takes.
#[must_use]
pub fn store_by(drive: &DriveDouble, token: String, place: Place) -> DriveStore {
    let store = DriveStore::at(drive.url(), Arc::new(SignedIn(token)), place);
    store.expect("the double is on this machine")
}
