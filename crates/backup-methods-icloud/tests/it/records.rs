//! What a store makes of records: its own, others, those that show late or in part.

use std::{sync::Arc, time::Duration};

use backup_core::{BackupMethod, ErrorKind, KeyStore, Purpose, StoredKey};
use backup_methods_icloud::{Container, Environment, ICloudProblem};
use backup_testkit::icloud::{API_TOKEN, CONTAINER, ICloudCall, ICloudFault};

use crate::common::{ALICE, BOB, User, World, key, problem, store_at};

#[tokio::test]
async fn the_first_put_costs_two_calls_beyond_the_upload_and_all_others_none() {
    let world = World::new();
    let method = StoredKey::new(world.store());
    method.enroll(&world.op()).await.unwrap();
    use ICloudCall::{Create, CreateZone, Lookup};
    assert_eq!(world.calls(), [Create, CreateZone, Create, Lookup]);
    world.icloud.forget_calls();
    let params = StoredKey::new(world.store()).enroll(&world.op()).await.unwrap().params;
    assert_eq!(world.calls(), [Create, Lookup]);
    world.icloud.forget_calls();
    let op = world.client.op(Purpose::Unlock);
    StoredKey::new(world.store()).unlock(&op, &params).await.unwrap();
    assert_eq!(world.calls(), [Lookup]);
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_by_every_code_that_apple_has_for_it() {
    for code in ["EXISTS", "CONFLICT", "SERVER_RECORD_CHANGED"] {
        let world = World::new();
        world.icloud.say_of_what_exists(code);
        let (name, kept) = world.put(&world.store()).await;
        let other = world.store();
        other.put(&world.op(), &name, &kept).await.unwrap();
        let error = other.put(&world.op(), &name, &key()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{code}");
        assert_eq!(world.store().get(&world.op(), &name).await.unwrap(), kept);
    }
}

#[tokio::test]
async fn the_answer_to_a_create_is_lost_and_its_repetition_finds_the_record() {
    let world = World::new();
    world.put(&world.store()).await;
    world.icloud.take_used_tokens();
    world.icloud.inject(ICloudFault::lose_answer(ICloudCall::Create));
    let (name, kept) = world.put(&world.store()).await;
    assert_eq!(world.icloud.records().len(), 2);
    assert_eq!(world.store().get(&world.op(), &name).await.unwrap(), kept);
}

#[tokio::test]
async fn a_record_that_does_not_show_yet_is_neither_put_nor_lost() {
    let world = World::new();
    let store = world.hasty_store();
    world.put(&store).await;
    world.icloud.show_late(1);
    let error = StoredKey::new(world.store()).enroll(&world.op()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "what was just put is said to be lost");

    let (name, kept) = world.put(&store).await;
    let error = store.put(&world.op(), &name, &kept).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "what does not show is said to be kept");
    store.put(&world.op(), &name, &kept).await.unwrap();
}

#[tokio::test]
async fn a_record_that_is_there_in_part_is_damaged_and_never_replaced() {
    let short = r#"{"type":"BYTES","value":"AAAA"}"#;
    for (field, value) in [("key", None), ("version", None), ("key", Some(short))] {
        let world = World::new();
        let store = world.store();
        let (name, kept) = world.put(&store).await;
        world.icloud.rewrite(name.as_str(), field, value);
        let error = store.get(&world.op(), &name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged, "{field}");
        let error = store.put(&world.op(), &name, &kept).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{field}");
        assert_eq!(world.icloud.records()[0].field(field).as_deref(), value);
    }
}

#[tokio::test]
async fn a_key_of_a_newer_version_is_not_read() {
    let world = World::new();
    let (name, _) = world.put(&world.store()).await;
    world.icloud.rewrite(name.as_str(), "version", Some(r#"{"value":2,"type":"INT64"}"#));
    let error = world.store().get(&world.op(), &name).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownVersion);
}

#[tokio::test]
async fn another_account_is_told_from_a_key_that_is_not_there() {
    let world = World::new();
    let (name, _) = world.put(&world.store()).await;
    let alice = world.store().user().await.unwrap();
    assert_eq!(alice, world.icloud.user(ALICE));
    let (op, absent) = (world.op(), world.name());

    let wrong = || world.store_of(BOB).of_user(&alice).unwrap();
    let errors = [
        wrong().get(&op, &name).await.unwrap_err(),
        wrong().delete(&op, &name).await.unwrap_err(),
        wrong().check(&op).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert_eq!(problem(&error), &ICloudProblem::OtherAccount);
    }
    let right = world.store().of_user(&alice).unwrap();
    assert_eq!(right.get(&op, &absent).await.unwrap_err().kind(), ErrorKind::NotFound);
    right.delete(&op, &absent).await.unwrap();
    right.check(&op).await.unwrap();
}

#[tokio::test]
async fn an_account_without_any_backup_is_told_from_one_that_lacks_this_one() {
    let world = World::new();
    world.put(&world.store()).await;
    let absent = world.name();
    let nothing = world.store_of(BOB).get(&world.op(), &absent).await.unwrap_err();
    let others = world.store().get(&world.op(), &absent).await.unwrap_err();
    assert_eq!((nothing.kind(), others.kind()), (ErrorKind::NotFound, ErrorKind::NotFound));
    assert!(nothing.to_string().contains("has no backup of this app"), "{nothing}");
    assert!(others.to_string().contains("others of this app"), "{others}");
}

#[tokio::test]
async fn who_deleted_the_apps_data_can_back_up_again() {
    let world = World::new();
    let store = world.store();
    let (name, _) = world.put(&store).await;
    world.icloud.delete_all_of(ALICE);
    assert_eq!(store.get(&world.op(), &name).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(store.list(&world.op(), &world.prefix()).await.unwrap().is_empty());
    store.delete(&world.op(), &name).await.unwrap();
    let (name, kept) = world.put(&store).await;
    assert_eq!(store.get(&world.op(), &name).await.unwrap(), kept);
}

#[tokio::test]
async fn a_listing_goes_through_all_pages_and_leaves_out_what_was_deleted() {
    let world = World::new();
    world.icloud.list_at_most(2);
    let store = world.store();
    let mut kept = Vec::new();
    for _ in 0..5 {
        kept.push(world.put(&store).await.0);
    }
    store.delete(&world.op(), &kept.remove(1)).await.unwrap();
    kept.sort();
    world.icloud.forget_calls();
    let listed = store.list(&world.op(), &world.prefix()).await.unwrap();
    assert_eq!(listed, kept);
    assert_eq!(world.calls(), [ICloudCall::Changes; 3]);
}

#[tokio::test]
async fn a_history_without_an_end_is_no_listing() {
    let world = World::new();
    let store = world.store();
    world.put(&store).await;
    let again = r#"{"zones":[{"records":[],"moreComing":true,"syncToken":"again"}]}"#;
    let unended = r#"{"zones":[{"records":[],"moreComing":true}]}"#;
    let silent = r#"{"zones":[{"records":[]}]}"#;
    for body in [again, unended, silent] {
        let fault = ICloudFault::answer(ICloudCall::Changes, 200, body).times(9);
        world.icloud.inject(fault);
        let error = store.list(&world.op(), &world.prefix()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{body}");
        assert!(world.calls().len() < 20, "{body}");
        world.icloud.heal();
    }
}

#[tokio::test]
async fn production_takes_records_when_their_type_was_deployed_to_it() {
    let world = World::new();
    world.put(&world.store()).await;
    let url = world.icloud.url();
    let user = Arc::new(User::away());
    let store = store_at(url, Environment::Production, world.tokens(ALICE), user);
    let (name, kept) = (world.name(), key());
    let error = store.put(&world.op(), &name, &kept).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let reason = "BAD_REQUEST".to_owned();
    assert_eq!(problem(&error), &ICloudProblem::AppRefused { reason });

    world.icloud.deploy_schema();
    store.put(&world.op(), &name, &kept).await.unwrap();
    assert_eq!(store.get(&world.op(), &name).await.unwrap(), kept);
    let error = world.store().get(&world.op(), &name).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "environments share records");
}

#[test]
fn what_cannot_be_a_container_is_refused() {
    let ids = ["com.example.wallet", "iCloud.a/b", "iCloud.a?b", "iCloud. ", ""];
    for (id, token) in ids
        .map(|id| (id, API_TOKEN))
        .into_iter()
        .chain(["", "a&b", "a b"].map(|token| (CONTAINER, token)))
    {
        let error = Container::new(id, Environment::Production, token).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{id} {token}");
    }
}

#[test]
fn a_token_goes_to_no_server_without_tls_but_on_this_machine() {
    let container = Container::new(CONTAINER, Environment::Production, API_TOKEN).unwrap();
    for url in
        ["http://example.com", "ftp://127.0.0.1", "127.0.0.1", "http://127.0.0.1.example.com"]
    {
        let error = container.clone().at(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{url}");
    }
    assert!(!format!("{container:?}").contains(API_TOKEN));
}

#[tokio::test]
async fn a_store_is_set_up_before_it_is_shared() {
    let store = World::new().store();
    let handle = store.clone();
    let error = store.with_patience(Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(handle.of_user("_a").unwrap().id(), backup_core::MethodId::ICLOUD);
}
