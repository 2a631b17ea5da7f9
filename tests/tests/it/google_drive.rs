//! Backups in a double of Google Drive that stop on the way: at any effect of the device, at any
//! call to the store, and at any request to Drive.

use std::{sync::Arc, time::Duration};

use backup_core::KeyStore;
use backup_methods_gdrive::{DriveStore, Place};
use backup_testkit::drive::{APP_DATA, DriveCall, DriveDouble, DriveFault};
use portal_tests::{
    drive::{APP, USER, store, store_by, store_in},
    stopped::{Scene, fails_at_every_call, stops_at_every_effect},
    wallets::{TestService, on_runtime},
};

fn open(drive: &DriveDouble) -> Arc<dyn KeyStore> {
    Arc::new(store(drive))
}

/// One that repeats a request once, and not for half a minute.
fn hasty(drive: &DriveDouble) -> DriveStore {
    store(drive).with_patience(Duration::from_millis(400)).unwrap()
}

#[test]
fn a_backup_in_drive_that_was_stopped_recovers_or_has_left_nothing() {
    let drive = DriveDouble::start();
    on_runtime(async {
        stops_at_every_effect(&TestService::start().await, &|| open(&drive)).await;
    });
}

#[test]
fn a_backup_whose_store_in_drive_failed_recovers_or_has_left_nothing() {
    let drive = DriveDouble::start();
    on_runtime(async {
        fails_at_every_call(&TestService::start().await, &|| open(&drive)).await;
    });
}

/// What can become of one request: refused for good or for a while, before its effect or after it,
/// without an answer, or with one that is not Drive's.
fn faults(call: DriveCall) -> Vec<DriveFault> {
    let refused = |status, reason| DriveFault::refuse(call, status, reason);
    vec![
        DriveFault::lose_answer(call),
        refused(500, "internalError").after_effect(),
        refused(503, "backendError").times(usize::MAX),
        refused(503, "backendError").times(usize::MAX).after_effect(),
        refused(429, "rateLimitExceeded").times(usize::MAX),
        refused(403, "storageQuotaExceeded"),
        DriveFault::answer(call, 200, "<html>a hotel's page</html>"),
    ]
}

#[test]
fn a_backup_with_a_fault_of_drive_at_any_request_recovers_or_has_left_nothing() {
    let drive = DriveDouble::start();
    on_runtime(async {
        let service = TestService::start().await;
        let open = || open(&drive);
        let scene = Scene::with_wallet(&service, &open).await;
        drive.forget_calls();
        scene.back_up_in(hasty(&drive)).await.unwrap();
        let (mut failed, calls) = (0, drive.calls());
        assert!(calls.contains(&DriveCall::Create) && calls.len() > 5, "{calls:?}");
        for (at, call) in calls.iter().enumerate() {
            let spared = calls[..at].iter().filter(|earlier| *earlier == call).count();
            for fault in faults(*call) {
                let scene = Scene::with_wallet(&service, &open).await;
                drive.inject(fault.sparing(spared));
                let made = scene.back_up_in(hasty(&drive)).await;
                drive.heal();
                let completed = scene.recovers_or_has_left_nothing().await;
                assert!(completed || made.is_err(), "{call:?} {spared}: it was told, and is gone");
                failed += usize::from(made.is_err());
            }
        }
        assert!(failed >= calls.len(), "only {failed} faults were met");
    });
}

/// With a token that is fresh. Beyond the upload and its reading back, a backup asks for an id and
/// for the names that are shown by now; a trial and a recovery ask for the name of what they read,
/// and a recovery first of all whether Drive answers.
#[test]
fn a_backup_takes_two_calls_beyond_the_upload_and_its_reading_back_and_a_recovery_two() {
    use DriveCall::{Create, GenerateIds, List, Media};
    on_runtime(async {
        let service = TestService::start().await;
        for place in [Place::Hidden, Place::Folder("Wallet keys".to_owned())] {
            let is_hidden = place == Place::Hidden;
            let drive = DriveDouble::start();
            let store = store_in(&drive, place);
            let open = || -> Arc<dyn KeyStore> { Arc::new(store.clone()) };
            let scene = Scene::with_wallet(&service, &open).await;
            for first in [true, false] {
                drive.forget_calls();
                scene.back_up_in(store.clone()).await.unwrap();
                // A folder is found or made once by each process.
                let expected = match (first, is_hidden) {
                    (true, true) => [GenerateIds, Create, List, Media, List, Media].to_vec(),
                    (true, false) => {
                        [GenerateIds, List, List, Create, Create, List, Media, List, Media].to_vec()
                    }
                    (false, _) => Vec::new(),
                };
                assert_eq!(drive.calls(), expected, "hidden: {is_hidden}, first: {first}");
            }
            drive.forget_calls();
            scene.back_up_anew_in(store.clone()).await.unwrap();
            let expected = [GenerateIds, Create, List, Media, List, Media];
            assert_eq!(drive.calls(), expected, "hidden: {is_hidden}, enrolled anew");
            drive.forget_calls();
            scene.recovers().await;
            assert_eq!(drive.calls(), [List, List, Media], "hidden: {is_hidden}");
        }
    });
}

#[test]
fn a_key_that_is_listed_late_or_in_the_trash_recovers() {
    on_runtime(async {
        let service = TestService::start().await;
        for late in 0..4 {
            let drive = DriveDouble::start();
            let open = || open(&drive);
            let scene = Scene::with_wallet(&service, &open).await;
            drive.show_late(late);
            scene.back_up_in(store(&drive)).await.unwrap();
            for file in drive.files() {
                drive.trash(&file.id);
            }
            scene.recovers().await;
        }
    });
}

#[test]
fn a_drive_that_is_full_or_signs_the_user_out_keeps_no_backup_from_being_made_later() {
    on_runtime(async {
        let service = TestService::start().await;
        let drive = DriveDouble::start();
        let open = || open(&drive);
        let scene = Scene::with_wallet(&service, &open).await;
        let full = DriveDouble::start();
        full.fill();
        assert!(scene.back_up_in(store(&full)).await.is_err());
        let token = drive.token(USER, APP, &[APP_DATA]);
        drive.expire(&token);
        let signed_out = store_by(&drive, token, Place::Hidden);
        assert!(scene.back_up_in(signed_out).await.is_err());
        assert!(!scene.recovers_or_has_left_nothing().await);
    });
}
