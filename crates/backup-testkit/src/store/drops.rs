//! Rules: a call that is dropped leaves all of its effect or none.

use backup_core::{ErrorKind, KeyPrefix, KeyStore};

use super::{StoreFixture, assert_keeps, key, listed, name, op, put};
use crate::{
    Client, drops::poll_then_drop, expect::must, expect::must_fail, method::for_every_drop,
};

/// Wherever a put is dropped, the name is kept whole or is absent, in `get` and in `list`, and the
/// put can be repeated.
pub async fn dropped_put_leaves_all_or_nothing(fixture: &impl StoreFixture) {
    let (store, client) = (fixture.store(), Client::new());
    let earlier = put(&store, &client).await;
    for_every_drop(async |polls| {
        let kept = (name(&client), key());
        let done = poll_then_drop(polls, store.put(&op(&client), &kept.0, &kept.1)).await;
        fixture.settle().await;
        let device = fixture.store();
        let meaning = format!("a put dropped after {polls} polls left part of a key");
        let is_listed = listed(&device, &client).await.contains(&kept.0);
        match device.get(&op(&client), &kept.0).await {
            Ok(stored) => {
                assert!(stored.expose() == kept.1.expose(), "{meaning}");
                assert!(is_listed, "a put dropped after {polls} polls left a key unlisted");
            }
            absent => {
                must_fail(absent, &[ErrorKind::NotFound], &meaning);
                assert!(!is_listed, "a put dropped after {polls} polls left a name without a key");
                assert!(done.is_none(), "a put came to its end, and the key is not there");
            }
        }
        must(store.put(&op(&client), &kept.0, &kept.1).await, "a dropped put cannot be repeated");
        assert_keeps(&device, &client, &kept, "a dropped put that was repeated").await;
        done.is_some()
    })
    .await;
    assert_keeps(&store, &client, &earlier, "dropped puts lost an earlier key").await;
}

/// Wherever a deletion is dropped, the key is there whole or absent, other keys stay, and it can be
/// repeated.
pub async fn dropped_delete_leaves_all_or_nothing(fixture: &impl StoreFixture) {
    let (store, client) = (fixture.store(), Client::new());
    let earlier = put(&store, &client).await;
    for_every_drop(async |polls| {
        let gone = put(&store, &client).await;
        let done = poll_then_drop(polls, store.delete(&op(&client), &gone.0)).await;
        fixture.settle().await;
        let device = fixture.store();
        match device.get(&op(&client), &gone.0).await {
            Ok(stored) => assert!(stored.expose() == gone.1.expose(), "part of a key was deleted"),
            absent => {
                must_fail(absent, &[ErrorKind::NotFound], "part of a key was deleted");
            }
        }
        must(store.delete(&op(&client), &gone.0).await, "a dropped deletion cannot be repeated");
        let got = device.get(&op(&client), &gone.0).await;
        must_fail(got, &[ErrorKind::NotFound], "a deletion that was repeated has no effect");
        assert_keeps(&device, &client, &earlier, "a dropped deletion lost another key").await;
        done.is_some()
    })
    .await;
}

/// Wherever a check, a `get` or a listing is dropped, nothing has changed.
pub async fn dropped_reading_changes_nothing(fixture: &impl StoreFixture) {
    let (store, client) = (fixture.store(), Client::new());
    let kept = put(&store, &client).await;
    let prefix = KeyPrefix::of(client.context());
    let op = op(&client);
    for_every_drop(async |polls| {
        poll_then_drop(polls, store.check(&op)).await.is_some()
            & poll_then_drop(polls, store.get(&op, &kept.0)).await.is_some()
            & poll_then_drop(polls, store.list(&op, &prefix)).await.is_some()
    })
    .await;
    assert_keeps(&store, &client, &kept, "dropped readings lost a key").await;
    assert_eq!(listed(&fixture.store(), &client).await, [kept.0], "a dropped reading left a trace");
}
