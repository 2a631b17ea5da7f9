//! A wallet that is backed up in a double of Google Drive: recovered, and stopped at every effect.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use backup_core::{BackupMethod, MethodId, Result, StoredKey, async_trait};
use backup_methods_gdrive::{AccessToken, DriveStore, Place, Scope, TokenSource};
use backup_testkit::drive::{APP_DATA, DriveCall, DriveDouble, DriveFault};
use portal_client::{BackUpOptions, Payload, Portal, RecoverOptions};
use portal_tests::wallets::{Mortal, TestClient, TestService, on_runtime, unseen};

/// An app that has signed its user in.
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

fn method(drive: &DriveDouble) -> Arc<dyn BackupMethod> {
    let token = drive.token("user@example.com", "the-app", &[APP_DATA]);
    let store = DriveStore::at(drive.url(), Arc::new(SignedIn(token)), Place::Hidden).unwrap();
    Arc::new(StoredKey::new(store))
}

async fn back_up(app: &Portal) -> portal_client::Result<()> {
    app.back_up(&MethodId::GDRIVE, &BackUpOptions::default(), &unseen).await.map(drop)
}

/// The wallet on a device that was bought now. It signs there.
async fn recover(service: &TestService, client: &TestClient, drive: &DriveDouble) {
    let device = client.device();
    let app = device.portal(&service.url(), &method(drive));
    app.recover(&MethodId::GDRIVE, &RecoverOptions::default(), &unseen).await.unwrap();
    app.sign(Payload::Message(b"m")).await.unwrap();
}

#[test]
fn a_wallet_comes_back_from_its_users_drive() {
    on_runtime(async {
        let (service, drive) = (TestService::start().await, DriveDouble::start());
        let client = service.client().await;
        let device = client.device();
        let app = device.portal(&service.url(), &method(&drive));
        app.create_wallet(&unseen).await.unwrap();
        drive.inject(DriveFault::lose_answer(DriveCall::Create));
        back_up(&app).await.unwrap();
        assert_eq!(drive.files().len(), 1);
        drop((app, device));
        recover(&service, &client, &drive).await;
    });
}

#[test]
fn a_backup_that_was_stopped_is_there_or_has_left_no_file() {
    on_runtime(async {
        let service = TestService::start().await;
        for stop in 0.. {
            let (client, drive) = (service.client().await, DriveDouble::start());
            let device = client.device();
            let app = device.portal(&service.url(), &method(&drive));
            app.create_wallet(&unseen).await.unwrap();
            drop(app);
            let mortal = Mortal::dying_before(stop);
            let app = device.app(&service.url()).method(method(&drive));
            let stopped = back_up(&app.observed_by(mortal.clone()).build().unwrap()).await;
            assert!(stopped.is_ok() || mortal.is_dead(), "it failed by itself: {stopped:?}");

            let app = device.portal(&service.url(), &method(&drive));
            app.finish_interrupted().await.unwrap();
            let is_there = app.is_wallet_backed_up(None).await.unwrap();
            assert!(is_there || stopped.is_err(), "it was told, and is gone");
            assert_eq!(drive.files().len(), usize::from(is_there), "a file without a backup");
            back_up(&app).await.unwrap();
            recover(&service, &client, &drive).await;
            if !mortal.is_dead() {
                assert!(stop > 20, "only {stop} effects: do all go through the observer?");
                return;
            }
        }
    });
}
