//! Rules: listings are complete, and show nothing that they should not.

use backup_core::{KeyStore, Purpose};
use futures_util::future::join_all;

use super::{PUTS, StoreFixture, key, listed, names, op, put};
use crate::{Client, LogCapture, Secrets, expect::must};

/// Every name is listed from when it was put until it is deleted, once.
pub async fn lists_what_it_keeps(fixture: &impl StoreFixture) {
    let (store, client) = (fixture.store(), Client::new());
    assert!(listed(&store, &client).await.is_empty(), "a store lists what nobody has put");
    let mut kept = vec![put(&store, &client).await.0, put(&store, &client).await.0];
    kept.sort();
    for store in [&store, &fixture.store()] {
        assert_eq!(listed(store, &client).await, kept, "a key is not listed: {ORPHANS}");
    }
    let gone = kept.pop().expect("there are two");
    must(store.delete(&op(&client), &gone).await, "a key cannot be deleted");
    assert_eq!(listed(&store, &client).await, kept, "what was deleted is listed still");
}

/// A client's listing has no other client's names.
pub async fn lists_one_clients_names_only(fixture: &impl StoreFixture) {
    let (store, client, other) = (fixture.store(), Client::new(), Client::new());
    let (mine, _) = put(&store, &client).await;
    let (theirs, _) = put(&store, &other).await;
    assert_eq!(listed(&store, &client).await, [mine], "{OTHERS}");
    assert_eq!(listed(&store, &other).await, [theirs], "{OTHERS}");
    assert!(listed(&store, &Client::new()).await.is_empty(), "{OTHERS}");
}

/// All names are listed when they are more than the back end gives in one answer.
pub async fn lists_many_names(fixture: &impl StoreFixture) {
    let (store, client) = (fixture.store(), Client::new());
    let mut kept: Vec<_> = names(&client).take(fixture.many()).collect();
    kept.sort();
    for some in kept.chunks(AT_ONCE) {
        let put = async |name| must(store.put(&op(&client), name, &key()).await, PUTS);
        join_all(some.iter().map(put)).await;
    }
    let listed = listed(&store, &client).await;
    assert_eq!(listed.len(), kept.len(), "a long listing is not complete: {ORPHANS}");
    assert!(listed == kept, "a long listing has names that nobody has put");
}

/// A check, whatever it is for, leaves nothing in the store.
pub async fn store_check_leaves_no_trace(fixture: &impl StoreFixture) {
    let (store, client) = (fixture.store(), Client::new());
    let kept = vec![put(&store, &client).await.0];
    for purpose in [Purpose::Enroll, Purpose::Unlock, Purpose::Revoke] {
        must(store.check(&client.op(purpose)).await, "a check fails though the store works");
        let listed = listed(&store, &client).await;
        assert_eq!(listed, kept, "a check to {purpose:?} leaves a trace");
    }
}

/// Neither `Debug` of the store nor anything that is logged shows a key that it keeps.
pub async fn stored_keys_are_not_shown(fixture: &impl StoreFixture) {
    let logs = LogCapture::start();
    let (store, client) = (fixture.store(), Client::new());
    let (name, key) = put(&store, &client).await;
    let secrets = Secrets::new().with_key(key.expose());
    must(store.get(&op(&client), &name).await, "what was put is not given back");
    let _ = store.put(&op(&client), &name, &super::key()).await;
    let text = format!("{store:?} {store:#?} {:?}", listed(&store, &client).await);
    must(store.delete(&op(&client), &name).await, "a key cannot be deleted");
    secrets.assert_absent(text, "`Debug` of a store");
    secrets.assert_absent(logs.text(), "a log");
}

const AT_ONCE: usize = 20;
const ORPHANS: &str = "what a crash left behind is never found";
const OTHERS: &str = "another client's keys are listed, and would be offered for removal";
