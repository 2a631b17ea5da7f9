//! Rules: what is put is kept, and never replaced.

use backup_core::{ErrorKind, KeyStore};
use futures_util::future::join_all;

use super::{PUTS, StoreFixture, assert_keeps, key, name, op, put};
use crate::{Client, expect::must, expect::must_fail};

/// What was put is given back, byte for byte, and again.
pub async fn put_creates(fixture: &impl StoreFixture) {
    let (store, client) = (fixture.store(), Client::new());
    let kept = put(&store, &client).await;
    let other = put(&store, &client).await;
    for _ in 0..2 {
        assert_keeps(&store, &client, &kept, "what was put is not given back").await;
        assert_keeps(&store, &client, &other, "what was put is not given back").await;
    }
}

/// The same name with the same bytes is success: a put whose answer was lost is repeated.
pub async fn put_again_is_fine(fixture: &impl StoreFixture) {
    let (store, client) = (fixture.store(), Client::new());
    let kept = put(&store, &client).await;
    for store in [&store, &fixture.store()] {
        let again = store.put(&op(&client), &kept.0, &kept.1).await;
        must(again, "a put whose answer was lost cannot be repeated");
    }
    assert_keeps(&store, &client, &kept, "a repeated put lost the key").await;
}

/// The same name with other bytes is [`ErrorKind::Conflict`], and the first bytes stay: they open a
/// backup.
pub async fn put_never_overwrites(fixture: &impl StoreFixture) {
    let (store, client) = (fixture.store(), Client::new());
    let kept = put(&store, &client).await;
    for store in [&store, &fixture.store()] {
        let result = store.put(&op(&client), &kept.0, &key()).await;
        assert_keeps(store, &client, &kept, "a second put replaced a key: a backup is lost").await;
        must_fail(result, &[ErrorKind::Conflict], "a name that is taken is not refused as such");
    }
}

/// Of several puts of one name with different bytes at the same time exactly one succeeds, its
/// bytes are kept, and the others are [`ErrorKind::Conflict`].
pub async fn parallel_puts_have_one_winner(fixture: &impl StoreFixture) {
    let (stores, client) = ([fixture.store(), fixture.store()], Client::new());
    let (name, keys) = (name(&client), [key(), key(), key(), key()]);
    let op = op(&client);
    let puts = keys.iter().zip(stores.iter().cycle());
    let results = join_all(puts.map(|(key, store)| store.put(&op, &name, key))).await;
    let (mut winner, mut winners) = (None, 0);
    for (key, result) in keys.into_iter().zip(results) {
        if result.is_ok() {
            (winner, winners) = (Some(key), winners + 1);
        } else {
            must_fail(result, &[ErrorKind::Conflict], "of parallel puts one fails in another way");
        }
    }
    assert_eq!(winners, 1, "of several puts of one name not exactly one was told that it is kept");
    let kept = (name, winner.expect("one has won"));
    assert_keeps(&stores[1], &client, &kept, "of parallel puts, who was told so lost").await;
}

/// What was put is given back to a handle that has seen nothing, after the first one is gone.
pub async fn kept_on_a_new_device(fixture: &impl StoreFixture) {
    let client = Client::new();
    let kept = {
        let lost_device = fixture.store();
        put(&lost_device, &client).await
    };
    let client = client.on_a_new_device();
    assert_keeps(&fixture.store(), &client, &kept, "a key was lost with the device").await;
}

/// A name that was never put is [`ErrorKind::NotFound`].
pub async fn get_of_nothing_is_not_found(fixture: &impl StoreFixture) {
    let (store, client) = (fixture.store(), Client::new());
    let kinds = [ErrorKind::NotFound];
    let got = store.get(&op(&client), &name(&client)).await;
    must_fail(got, &kinds, "an empty store does not say so");
    put(&store, &client).await;
    let got = store.get(&op(&client), &name(&client)).await;
    must_fail(got, &kinds, "an absent name is not said to be absent");
}

/// What was deleted is [`ErrorKind::NotFound`], by every handle.
pub async fn delete_removes(fixture: &impl StoreFixture) {
    let (store, client) = (fixture.store(), Client::new());
    let (name, _) = put(&store, &client).await;
    must(store.delete(&op(&client), &name).await, "a key cannot be deleted");
    for store in [&store, &fixture.store()] {
        let got = store.get(&op(&client), &name).await;
        must_fail(got, &[ErrorKind::NotFound], "a key is still there that was deleted");
    }
}

/// Deleting what is absent is success, before it was put and after it was deleted.
pub async fn deleting_nothing_is_fine(fixture: &impl StoreFixture) {
    let (store, client) = (fixture.store(), Client::new());
    must(store.delete(&op(&client), &name(&client)).await, "deleting nothing fails");
    let (name, _) = put(&store, &client).await;
    for _ in 0..2 {
        must(store.delete(&op(&client), &name).await, "deleting again fails");
    }
}

/// Deleting one name leaves the others, of this client and of another.
pub async fn delete_spares_other_names(fixture: &impl StoreFixture) {
    let (store, client, other) = (fixture.store(), Client::new(), Client::new());
    let kept = put(&store, &client).await;
    let others = put(&store, &other).await;
    let (name, _) = put(&store, &client).await;
    for _ in 0..2 {
        must(store.delete(&op(&client), &name).await, "a key cannot be deleted");
    }
    assert_keeps(&store, &client, &kept, "deleting one key deleted another").await;
    assert_keeps(&store, &other, &others, "deleting a key deleted another client's").await;
}

/// Every call is [`ErrorKind::Unavailable`] while the back end is away: no key is said to be
/// absent, stored or deleted that nobody has looked for.
pub async fn store_that_is_away_is_unavailable(fixture: &impl StoreFixture) {
    let Some(away) = fixture.with_back_end_away() else { return };
    let (store, client) = (fixture.store(), Client::new());
    let kept = put(&store, &client).await;
    let (op, kinds) = (op(&client), [ErrorKind::Unavailable]);
    let prefix = backup_core::KeyPrefix::of(client.context());
    must_fail(away.check(&op).await, &kinds, "a check does not notice an outage");
    must_fail(away.get(&op, &kept.0).await, &kinds, "an outage looks like a lost key");
    must_fail(away.put(&op, &name(&client), &key()).await, &kinds, "a key that nobody keeps");
    must_fail(away.delete(&op, &kept.0).await, &kinds, "a deletion that did not happen");
    must_fail(away.list(&op, &prefix).await, &kinds, "an outage looks like an empty store");
    assert_keeps(&store, &client, &kept, "a key was lost by an outage").await;
    must(store.put(&op, &name(&client), &key()).await, PUTS);
}
