//! What a store makes of Drive's refusals, of answers that do not come, and of listings that are
//! late.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use backup_core::{BackupMethod, EncryptionKey, Error, ErrorKind, KeyStore, Purpose, StoredKey};
use backup_methods_gdrive::{DriveProblem, DriveStore, Place};
use backup_testkit::{
    Secrets,
    drive::{DriveCall, DriveFault, OWN_FILES},
};

use crate::common::{ALICE, APP, Tokens, World, visible};

const CALLS: [DriveCall; 4] =
    [DriveCall::GenerateIds, DriveCall::Create, DriveCall::List, DriveCall::Media];

#[tokio::test]
async fn a_put_costs_two_calls_beyond_the_upload_and_its_reading_back_and_a_get_one() {
    for place in [Place::Hidden, visible()] {
        let world = World::new(place);
        let store = world.store();
        world.put(&store).await;
        world.drive.forget_calls();
        let (name, _) = world.put(&store).await;
        assert_eq!(world.calls(), CALLS);
        world.drive.forget_calls();
        world.store().get(&world.op(), &name).await.unwrap();
        assert_eq!(world.calls(), [DriveCall::List, DriveCall::Media]);
    }
}

#[tokio::test]
async fn the_first_key_in_a_visible_folder_costs_finding_and_making_it() {
    let world = World::new(visible());
    world.put(&world.store()).await;
    assert_eq!(world.calls()[..3], [DriveCall::GenerateIds, DriveCall::List, DriveCall::Create]);
    assert_eq!(world.calls().len(), CALLS.len() + 2);
    world.drive.forget_calls();
    world.put(&world.store()).await;
    assert_eq!(world.calls().len(), CALLS.len() + 1);
}

#[tokio::test]
async fn what_a_check_has_asked_drive_for_costs_one_put_no_call() {
    for place in [Place::Hidden, visible()] {
        let world = World::new(place);
        world.put(&world.store()).await;
        let store = world.store();
        store.check(&world.op()).await.unwrap();
        for expected in [&CALLS[1..], &CALLS] {
            world.drive.forget_calls();
            world.put(&store).await;
            assert_eq!(world.calls(), expected, "one id is not for two files");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_one_file() {
    for call in CALLS {
        let world = World::new(Place::Hidden);
        world.drive.inject(DriveFault::lose_answer(call).times(2));
        let (name, key) = world.put(&world.store()).await;
        assert_eq!(world.drive.files().len(), 1, "{call:?}");
        assert_eq!(world.store().get(&world.op(), &name).await.unwrap(), key);
    }
}

#[tokio::test]
async fn what_passes_is_waited_for() {
    let passing = [(403, "rateLimitExceeded"), (403, "userRateLimitExceeded"), (429, "x")];
    let broken = [(500, "backendError"), (502, "x"), (503, "x"), (504, "x")];
    let mut faults = passing.into_iter().chain(broken).cycle();
    for call in CALLS.into_iter().chain([DriveCall::Delete]) {
        let world = World::new(Place::Hidden);
        for _ in 0..2 {
            let (status, reason) = faults.next().unwrap();
            world.drive.inject(DriveFault::refuse(call, status, reason));
        }
        let store = world.store();
        let (name, key) = world.put(&store).await;
        assert_eq!(store.get(&world.op(), &name).await.unwrap(), key);
        store.delete(&world.op(), &name).await.unwrap();
        assert!(world.drive.files().is_empty());
    }
}

#[tokio::test]
async fn drive_is_not_asked_again_before_it_said() {
    let world = World::new(Place::Hidden);
    world.drive.inject(DriveFault::refuse(DriveCall::Create, 429, "x").retry_after("1"));
    let began = Instant::now();
    world.put(&world.store()).await;
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn who_would_wait_for_too_long_is_told_for_how_long() {
    for (value, wait) in [("3600", Some(3600)), ("Fri, 31 Dec 1999 23:59:59 GMT", None)] {
        let world = World::new(Place::Hidden);
        let fault = DriveFault::refuse(DriveCall::List, 503, "x").times(99).retry_after(value);
        world.drive.inject(fault);
        let store = world.store_with(Arc::new(Tokens::new(&[&world.token(ALICE)])), SHORT);
        let error = store.list(&world.op(), &world.prefix()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let Some(DriveProblem::Busy { retry_after }) = DriveProblem::of(&error) else {
            panic!("{error:?}");
        };
        assert_eq!(retry_after.unwrap(), Duration::from_secs(wait.unwrap_or(0)));
    }
}

const SHORT: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_key_counts_as_put_when_a_new_device_finds_it() {
    let world = World::new(Place::Hidden);
    world.drive.show_late(2);
    let (name, key) = world.put(&world.store()).await;
    assert_eq!(world.store().get(&world.op(), &name).await.unwrap(), key);

    world.drive.show_late(3);
    let (name, key) = (world.name(), EncryptionKey::generate().unwrap());
    let put = world.hasty_store().put(&world.op(), &name, &key).await;
    assert_eq!(put.unwrap_err().kind(), ErrorKind::Unavailable);
    world.store().put(&world.op(), &name, &key).await.unwrap();
    assert_eq!(world.store().get(&world.op(), &name).await.unwrap(), key);
}

#[tokio::test]
async fn a_listing_that_may_be_incomplete_does_not_say_that_a_key_is_lost() {
    let world = World::new(Place::Hidden);
    let (name, _) = world.put(&world.store()).await;
    world.drive.search_incompletely();
    let store = world.hasty_store();
    let op = world.op();
    for error in [
        store.get(&op, &name).await.unwrap_err(),
        store.get(&op, &world.name()).await.unwrap_err(),
        store.delete(&op, &name).await.unwrap_err(),
        store.list(&op, &world.prefix()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
}

#[tokio::test]
async fn answers_that_are_not_drives_do_not_say_that_a_key_is_lost() {
    let endless = r#"{"files":[],"nextPageToken":"again"}"#.as_bytes().to_vec();
    let answers = [
        (200, b"<html>Sign in to this network</html>".to_vec(), 1),
        (200, vec![b' '; 2 * 1024 * 1024], 1),
        (302, Vec::new(), 1),
        (404, b"not found".to_vec(), 1),
        (200, b"{}".to_vec(), 1),
        (200, endless, 1000),
    ];
    for (status, body, times) in answers {
        let world = World::new(Place::Hidden);
        let (name, _) = world.put(&world.store()).await;
        let fault = DriveFault::answer(DriveCall::List, status, body).times(times);
        world.drive.inject(fault);
        let error = world.hasty_store().get(&world.op(), &name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{status}");
    }
}

#[tokio::test]
async fn a_404_that_is_not_drives_neither_loses_a_key_nor_calls_one_destroyed() {
    for call in [DriveCall::Media, DriveCall::Delete, DriveCall::List] {
        let world = World::new(Place::Hidden);
        let (name, key) = world.put(&world.store()).await;
        let not_drives = || DriveFault::answer(call, 404, b"not found".to_vec());
        world.drive.inject(not_drives().times(1000));
        let store = world.hasty_store();
        let error = match call {
            DriveCall::Delete => store.delete(&world.op(), &name).await.unwrap_err(),
            _ => store.get(&world.op(), &name).await.unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{call:?}");
        world.drive.heal();

        world.drive.inject(not_drives().times(1));
        assert_eq!(world.store().get(&world.op(), &name).await.unwrap(), key, "{call:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let world = World::new(Place::Hidden);
    let (name, key) = world.put(&world.store()).await;
    let [old, new] = [0, 1].map(|_| world.token(ALICE));
    world.drive.expire(&old);
    let store = world.store_of(Tokens::new(&[&old, &new]));
    assert_eq!(store.get(&world.op(), &name).await.unwrap(), key);

    world.drive.expire(&new);
    let error = store.get(&world.op(), &name).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(DriveProblem::of(&error), Some(&DriveProblem::SignInNeeded));
}

#[tokio::test]
async fn the_user_is_asked_to_sign_in_for_a_backup_and_not_for_looking_around() {
    let world = World::new(Place::Hidden);
    let (name, key) = world.put(&world.store()).await;
    let tokens = Arc::new(Tokens::default().with_user(Ok(&world.token(ALICE))));
    let store = world.store_with(tokens.clone(), SHORT);
    let op = world.op();
    store.check(&op).await.unwrap();
    let refused = [
        store.list(&op, &world.prefix()).await.unwrap_err(),
        store.delete(&op, &name).await.unwrap_err(),
    ];
    for error in refused {
        assert_eq!(DriveProblem::of(&error), Some(&DriveProblem::SignInNeeded));
    }
    assert_eq!(tokens.asked.load(Ordering::Relaxed), 0);
    assert_eq!(store.get(&op, &name).await.unwrap(), key);
    assert_eq!(tokens.asked.load(Ordering::Relaxed), 1);
    assert_eq!(world.client.progress.take().len(), 2, "waiting, and answered");
}

#[tokio::test]
async fn a_user_who_declines_changes_nothing() {
    let world = World::new(Place::Hidden);
    let tokens = Tokens::default().with_user(Err(ErrorKind::Cancelled));
    let key = EncryptionKey::generate().unwrap();
    let put = world.store_of(tokens).put(&world.op(), &world.name(), &key).await;
    assert_eq!(put.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(world.calls().is_empty());
}

#[tokio::test]
async fn who_did_not_tick_the_box_is_asked_again() {
    let world = World::new(Place::Hidden);
    let unticked = world.drive.token(ALICE, APP, &[OWN_FILES]);
    let store = world.store_of(Tokens::new(&[&unticked]));
    let error = store.check(&world.op()).await.unwrap_err();
    assert_eq!(DriveProblem::of(&error), Some(&DriveProblem::SignInNeeded));

    let tokens = Tokens::new(&[&unticked]).with_user(Ok(&world.token(ALICE)));
    world.put(&world.store_of(tokens)).await;
}

#[tokio::test]
async fn a_full_drive_takes_nothing_more_and_gives_what_it_has() {
    let world = World::new(Place::Hidden);
    let store = world.store();
    let (name, _) = world.put(&store).await;
    world.drive.fill();
    let key = EncryptionKey::generate().unwrap();
    let error = store.put(&world.op(), &world.name(), &key).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(DriveProblem::of(&error), Some(&DriveProblem::Full));
    assert_eq!(world.drive.files().len(), 1);
    store.check(&world.client.op(Purpose::Unlock)).await.unwrap();
    store.get(&world.op(), &name).await.unwrap();
}

#[tokio::test]
async fn a_project_without_the_drive_api_is_the_developers_to_mend() {
    let world = World::new(Place::Hidden);
    world.drive.inject(DriveFault::refuse(DriveCall::GenerateIds, 403, "accessNotConfigured"));
    let error = world.store().check(&world.op()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let reason = "accessNotConfigured".to_owned();
    assert_eq!(DriveProblem::of(&error), Some(&DriveProblem::AppRefused { reason }));
}

/// A put reads back by itself: nobody does it once more.
#[tokio::test]
async fn what_drive_does_not_give_back_was_not_put() {
    let elsewhere = World::new(Place::Hidden);
    assert!(elsewhere.store().reads_back());
    let (name, _) = elsewhere.put(&elsewhere.store()).await;
    let of_another_key = elsewhere.drive.files()[0].content.clone();
    for given_back in [of_another_key, Vec::new()] {
        let world = World::new(Place::Hidden);
        world.drive.inject(DriveFault::answer(DriveCall::Media, 200, given_back));
        let key = EncryptionKey::generate().unwrap();
        let error = world.store().put(&world.op(), &name, &key).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
        world.store().put(&world.op(), &name, &key).await.unwrap();
        assert_eq!(world.drive.files().len(), 1, "it is found to be there");
    }
    let world = World::new(Place::Hidden);
    let enroll = StoredKey::new(world.store());
    world.drive.inject(DriveFault::answer(DriveCall::Media, 200, "of nobody"));
    assert_eq!(enroll.enroll(&world.op()).await.unwrap_err().kind(), ErrorKind::Damaged);
}

#[tokio::test]
async fn what_a_failed_enrolment_left_is_removed_by_what_it_announced() {
    for (call, left) in [(DriveCall::Create, 1), (DriveCall::List, 1), (DriveCall::Media, 1)] {
        let world = World::new(Place::Hidden);
        world.drive.inject(DriveFault::lose_answer(call).times(99));
        let enrolled = StoredKey::new(world.hasty_store()).enroll(&world.op()).await;
        assert_eq!(enrolled.unwrap_err().kind(), ErrorKind::Unavailable, "{call:?}");
        assert_eq!(world.drive.files().len(), left);
        world.drive.heal();
        let method = StoredKey::new(world.store());
        for (_, params) in world.client.journal.take() {
            method.revoke(&world.client.op(Purpose::Revoke), &params).await.unwrap();
        }
        assert!(world.drive.files().is_empty(), "{call:?}");
    }
}

#[tokio::test]
async fn no_failure_shows_a_token_an_address_or_a_key() {
    let bodies: [&[u8]; 2] = [b"<html>", br#"{"error":{"errors":[{"reason":"ya29 and more"}]}}"#];
    for call in CALLS {
        for (status, body) in
            [200, 302, 400, 401, 403, 404, 429, 503].into_iter().zip(bodies.into_iter().cycle())
        {
            let world = World::new(Place::Hidden);
            let token = world.token(ALICE);
            world.drive.inject(DriveFault::answer(call, status, body).times(9));
            let store = world.store_with(Arc::new(Tokens::new(&[&token])), Duration::ZERO);
            let key = EncryptionKey::generate().unwrap();
            let Err(error) = store.put(&world.op(), &world.name(), &key).await else { continue };
            let text = all_of(&error);
            Secrets::new()
                .with_text(&token)
                .with_key(key.expose())
                .assert_absent(&text, "an error");
            assert!(!text.contains("http") && !text.contains("127.0.0.1"), "{text}");
            assert!(!text.contains("and more"), "{text}");
        }
    }
}

fn all_of(error: &Error) -> String {
    let (mut text, mut cause) = (format!("{error} {error:?}"), std::error::Error::source(error));
    while let Some(error) = cause {
        text += &format!(" {error} {error:?}");
        cause = error.source();
    }
    text
}

#[test]
fn a_token_goes_to_no_server_without_tls_but_on_this_machine() {
    for url in
        ["http://example.com", "ftp://127.0.0.1", "127.0.0.1", "http://127.0.0.1.example.com"]
    {
        let error = DriveStore::at(url, Arc::new(Tokens::default()), Place::Hidden).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{url}");
    }
}
