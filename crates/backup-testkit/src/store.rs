//! The rules for a [`KeyStore`], one function each.
//!
//! [`key_store_conformance!`](crate::key_store_conformance) makes a test of each. A store that
//! passes makes a backup method by [`StoredKey`](backup_core::StoredKey), which is put through
//! [`conformance!`](crate::conformance) as well: secrecy and users are judged there.

mod bytes;
mod drops;
mod names;

use std::future::{Future, ready};

use backup_core::{EncryptionKey, KeyName, KeyPrefix, KeyStore, Operation, Purpose};

pub use self::{bytes::*, drops::*, names::*};
use crate::{Client, Rule, expect::must};

/// A world of its own in which a store is tried.
pub trait StoreFixture: Send + Sync + Sized {
    /// The store to be tried.
    type Store: KeyStore + 'static;

    /// A fresh world.
    fn new() -> Self;

    /// A new handle to the store of this world, as on a new device.
    fn store(&self) -> Self::Store;

    /// A handle that does not reach its back end.
    fn with_back_end_away(&self) -> Option<Self::Store> {
        None
    }

    /// How many names are put at once to see whether all are listed: more than one page of the
    /// back end's listing.
    fn many(&self) -> usize {
        300
    }

    /// Waits until nothing goes on that a dropped future has started.
    fn settle(&self) -> impl Future<Output = ()> {
        ready(())
    }

    /// Runs a rule. A store that needs a runtime brings it here.
    fn block_on<T>(&self, rule: impl Future<Output = T>) -> T {
        futures_executor::block_on(rule)
    }
}

/// Calls `$callback! { { $args } ; rule rule … }` with every rule for stores.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_rules {
    ($callback:path { $($args:tt)* }) => {
        $callback! {
            { $($args)* };
            put_creates
            put_again_is_fine
            put_never_overwrites
            parallel_puts_have_one_winner
            kept_on_a_new_device
            get_of_nothing_is_not_found
            delete_removes
            deleting_nothing_is_fine
            delete_spares_other_names
            lists_what_it_keeps
            lists_one_clients_names_only
            lists_many_names
            store_check_leaves_no_trace
            store_that_is_away_is_unavailable
            dropped_put_leaves_all_or_nothing
            dropped_delete_leaves_all_or_nothing
            dropped_reading_changes_nothing
            stored_keys_are_not_shown
        }
    };
}

/// Makes one test per rule for the store of a [`StoreFixture`].
///
/// ```
/// struct InMemory(backup_testkit::MemoryStore);
///
/// impl backup_testkit::StoreFixture for InMemory {
///     type Store = backup_testkit::MemoryStore;
///
///     fn new() -> Self {
///         Self(backup_testkit::MemoryStore::new())
///     }
///
///     fn store(&self) -> Self::Store {
///         self.0.clone()
///     }
/// }
///
/// mod in_memory {
///     backup_testkit::key_store_conformance!(super::InMemory);
/// }
/// ```
#[macro_export]
macro_rules! key_store_conformance {
    ($fixture:ty) => {
        $crate::__store_rules! {
            $crate::__tests { $fixture; $crate::StoreFixture; $crate::store }
        }
    };
}

/// Every rule for stores, by name: for a harness of one's own.
#[must_use]
pub fn rules<F: StoreFixture>() -> Vec<Rule<F>> {
    __store_rules! { crate::__list { F } }
}

fn names(client: &Client) -> impl Iterator<Item = KeyName> {
    let prefix = KeyPrefix::of(client.context());
    std::iter::from_fn(move || Some(must(KeyName::generate(&prefix), "no randomness")))
}

fn name(client: &Client) -> KeyName {
    names(client).next().expect("names do not end")
}

fn key() -> EncryptionKey {
    must(EncryptionKey::generate(), "no randomness")
}

fn op(client: &Client) -> Operation<'_> {
    client.op(Purpose::Enroll)
}

async fn put(store: &impl KeyStore, client: &Client) -> (KeyName, EncryptionKey) {
    let (name, key) = (name(client), key());
    must(store.put(&op(client), &name, &key).await, PUTS);
    (name, key)
}

/// Asserts that a store, by whatever handle, gives back `key`.
async fn assert_keeps(
    store: &impl KeyStore,
    client: &Client,
    (name, key): &(KeyName, EncryptionKey),
    meaning: &str,
) {
    let stored = must(store.get(&op(client), name).await, meaning);
    assert!(stored.expose() == key.expose(), "{meaning}: it gives back another key");
}

/// The names that a store lists for a client, in order.
async fn listed(store: &impl KeyStore, client: &Client) -> Vec<KeyName> {
    let names = store.list(&op(client), &KeyPrefix::of(client.context())).await;
    let mut names = must(names, "a store that works does not list");
    names.sort();
    names
}

const PUTS: &str = "a fresh name cannot be put, though the store works";
