//! What a store makes of Apple's refusals, and of answers that do not come.

use std::time::{Duration, Instant};

use backup_core::{BackupMethod, ErrorKind, KeyStore, Purpose, StoredKey};
use backup_methods_icloud::ICloudProblem;
use backup_testkit::{
    LogCapture, Secrets,
    icloud::{ICloudCall, ICloudFault},
};

use crate::common::{World, all_of, key, problem};

const CALLS: [ICloudCall; 5] = [
    ICloudCall::Create,
    ICloudCall::CreateZone,
    ICloudCall::Lookup,
    ICloudCall::Changes,
    ICloudCall::Delete,
];

/// What a refusal of a whole call with this code means.
fn expected(code: &str) -> (u16, ErrorKind, ICloudProblem) {
    let refused = |reason: &str| ICloudProblem::Refused { reason: reason.to_owned() };
    let app = |reason: &str| ICloudProblem::AppRefused { reason: reason.to_owned() };
    let busy = ICloudProblem::Busy { retry_after: None };
    match code {
        "ACCESS_DENIED" => (403, ErrorKind::Unsupported, app(code)),
        "ATOMIC_ERROR" => (400, ErrorKind::Unavailable, refused(code)),
        "BAD_REQUEST" => (400, ErrorKind::Unsupported, app(code)),
        "INTERNAL_ERROR" => (500, ErrorKind::Unavailable, busy),
        "NOT_FOUND" => (404, ErrorKind::Unavailable, refused(code)),
        "QUOTA_EXCEEDED" => (413, ErrorKind::Unavailable, ICloudProblem::Full),
        "THROTTLED" => (429, ErrorKind::Unavailable, busy),
        "TRY_AGAIN_LATER" => (503, ErrorKind::Unavailable, busy),
        "ZONE_BUSY" => (503, ErrorKind::Unavailable, busy),
        "VALIDATING_REFERENCE_ERROR" => (412, ErrorKind::Unavailable, refused(code)),
        _ => (400, ErrorKind::Unavailable, refused(code)),
    }
}

#[tokio::test]
async fn every_code_of_apples_says_what_to_do() {
    let codes = [
        "ACCESS_DENIED",
        "ATOMIC_ERROR",
        "BAD_REQUEST",
        "INTERNAL_ERROR",
        "NOT_FOUND",
        "QUOTA_EXCEEDED",
        "THROTTLED",
        "TRY_AGAIN_LATER",
        "VALIDATING_REFERENCE_ERROR",
        "ZONE_BUSY",
        "SOMETHING_NEW",
    ];
    for code in codes {
        let world = World::new();
        let store = world.hasty_store();
        let (name, kept) = world.put(&store).await;
        let (status, kind, meant) = expected(code);
        for call in [ICloudCall::Create, ICloudCall::Lookup, ICloudCall::Changes] {
            world.icloud.inject(ICloudFault::refuse(call, status, code));
            let error = match call {
                ICloudCall::Create => store.put(&world.op(), &world.name(), &key()).await.err(),
                ICloudCall::Lookup => store.get(&world.op(), &name).await.err(),
                _ => store.list(&world.op(), &world.prefix()).await.err(),
            };
            let error = error.unwrap_or_else(|| panic!("{code} of {call:?} is no error"));
            assert_eq!(error.kind(), kind, "{code} of {call:?}");
            assert_eq!(problem(&error), &meant, "{code} of {call:?}");
        }
        assert_eq!(store.get(&world.op(), &name).await.unwrap(), kept, "{code}");
    }
}

#[tokio::test]
async fn a_record_that_is_refused_is_refused_as_a_whole_call_is() {
    let world = World::new();
    let store = world.hasty_store();
    let (name, _) = world.put(&store).await;
    for code in ["ACCESS_DENIED", "QUOTA_EXCEEDED", "THROTTLED", "SOMETHING_NEW"] {
        let body = format!(
            r#"{{"records":[{{"recordName":"{}","serverErrorCode":"{code}"}}]}}"#,
            name.as_str()
        );
        world.icloud.inject(ICloudFault::answer(ICloudCall::Lookup, 200, body));
        let error = store.get(&world.op(), &name).await.unwrap_err();
        let (_, kind, meant) = expected(code);
        assert_eq!((error.kind(), problem(&error)), (kind, &meant), "{code}");
    }
}

#[tokio::test]
async fn what_passes_is_waited_for() {
    let passing = [
        (429, "THROTTLED"),
        (503, "TRY_AGAIN_LATER"),
        (503, "ZONE_BUSY"),
        (500, "INTERNAL_ERROR"),
        (502, "x"),
        (429, "x"),
    ];
    let mut faults = passing.into_iter().cycle();
    for call in CALLS {
        let world = World::new();
        for _ in 0..2 {
            let (status, code) = faults.next().unwrap();
            let fault = match code {
                "x" => ICloudFault::answer(call, status, "<html>"),
                code => ICloudFault::refuse(call, status, code),
            };
            world.icloud.inject(fault);
        }
        let store = world.store();
        let (name, kept) = world.put(&store).await;
        assert_eq!(store.get(&world.op(), &name).await.unwrap(), kept);
        assert_eq!(store.list(&world.op(), &world.prefix()).await.unwrap().len(), 1);
        store.delete(&world.op(), &name).await.unwrap();
        assert!(world.icloud.records().is_empty(), "{call:?}");
    }
}

#[tokio::test]
async fn apple_is_not_asked_again_before_it_said() {
    let world = World::new();
    world.icloud.inject(ICloudFault::refuse(ICloudCall::Create, 429, "THROTTLED").retry_after("1"));
    let began = Instant::now();
    world.put(&world.store()).await;
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn who_would_wait_for_too_long_is_told_for_how_long() {
    let absurd = "18446744073709551615";
    let waits = [("3600", 3600), ("Fri, 31 Dec 1999 23:59:59 GMT", 0), (absurd, 1_000_000_000)];
    for (value, wait) in waits {
        let world = World::new();
        let fault = ICloudFault::refuse(ICloudCall::Changes, 503, "TRY_AGAIN_LATER");
        world.icloud.inject(fault.times(99).retry_after(value));
        let store = world.store().with_patience(Duration::from_secs(1)).unwrap();
        let error = store.list(&world.op(), &world.prefix()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let ICloudProblem::Busy { retry_after } = problem(&error) else { panic!("{error:?}") };
        assert_eq!(retry_after.unwrap(), Duration::from_secs(wait), "{value}");
    }
}

#[tokio::test]
async fn answers_that_are_not_apples_do_not_say_that_a_key_is_lost() {
    let other = r#"{"records":[{"recordName":"another","serverErrorCode":"NOT_FOUND"}]}"#;
    let answers = [
        (200, b"<html>Sign in to this network</html>".to_vec()),
        (200, vec![b' '; 2 * 1024 * 1024]),
        (302, Vec::new()),
        (404, b"not found".to_vec()),
        (404, br#"{"serverErrorCode":"NOT_FOUND"}"#.to_vec()),
        (200, b"{}".to_vec()),
        (200, br#"{"records":[]}"#.to_vec()),
        (200, other.as_bytes().to_vec()),
    ];
    for (status, body) in answers {
        let world = World::new();
        let store = world.hasty_store();
        let (name, _) = world.put(&store).await;
        for call in [ICloudCall::Lookup, ICloudCall::Changes] {
            world.icloud.inject(ICloudFault::answer(call, status, body.clone()));
        }
        let error = store.get(&world.op(), &name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{status}");
        let error = store.list(&world.op(), &world.prefix()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{status}");
    }
}

#[tokio::test]
async fn a_full_icloud_leaves_nothing_and_reads_on() {
    let world = World::new();
    let store = world.store();
    let (name, _) = world.put(&store).await;
    world.icloud.fill();
    let error = store.put(&world.op(), &world.name(), &key()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(problem(&error), &ICloudProblem::Full);
    assert_eq!(world.icloud.records().len(), 1);
    store.get(&world.op(), &name).await.unwrap();
}

#[tokio::test]
async fn what_a_failed_enrolment_left_is_removed_by_what_it_announced() {
    for (call, left) in [(ICloudCall::Create, 1), (ICloudCall::Lookup, 1)] {
        let world = World::new();
        world.put(&world.store()).await;
        world.icloud.take_used_tokens();
        world.icloud.inject(ICloudFault::lose_answer(call).times(99));
        let enrolled = StoredKey::new(world.hasty_store()).enroll(&world.op()).await;
        assert_eq!(enrolled.unwrap_err().kind(), ErrorKind::Unavailable, "{call:?}");
        assert_eq!(world.icloud.records().len(), 1 + left);
        world.icloud.heal();
        let method = StoredKey::new(world.store());
        for (_, params) in world.client.journal.take() {
            method.revoke(&world.client.op(Purpose::Revoke), &params).await.unwrap();
        }
        assert_eq!(world.icloud.records().len(), 1, "{call:?}");
    }
}

#[tokio::test]
async fn no_failure_and_no_log_shows_a_token_an_address_or_a_key() {
    let logs = LogCapture::start();
    let bodies: [&[u8]; 2] = [b"<html>", br#"{"serverErrorCode":"54__13__ and more"}"#];
    let mut secrets = Secrets::new();
    for call in [ICloudCall::Create, ICloudCall::Lookup] {
        for (status, body) in
            [200, 302, 400, 401, 403, 404, 421, 503].into_iter().zip(bodies.into_iter().cycle())
        {
            let world = World::new();
            world.icloud.inject(ICloudFault::answer(call, status, body).times(9));
            let (store, kept) = (world.hasty_store(), key());
            let name = world.name();
            let failed = match store.put(&world.op(), &name, &kept).await {
                Ok(()) => store.get(&world.op(), &name).await.err(),
                Err(error) => Some(error),
            };
            let text = all_of(&failed.unwrap_or_else(|| panic!("{status} is no error")));
            secrets = secrets.with_key(kept.expose());
            for token in world.icloud.issued_tokens() {
                secrets = secrets.with_text(&token);
            }
            secrets.assert_absent(&text, "an error");
            assert!(!text.contains("http") && !text.contains("127.0.0.1"), "{text}");
            assert!(!text.contains("and more"), "{text}");
            secrets.assert_absent(format!("{store:?} {store:#?}"), "`Debug` of a store");
        }
    }
    secrets.assert_absent(logs.text(), "a log");
}
