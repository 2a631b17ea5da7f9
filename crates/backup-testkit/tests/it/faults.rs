//! What a stored key does when its store fails at the worst moment.

use backup_core::{BackupMethod, ErrorKind, KeyPrefix, KeyStore, Purpose, StoredKey};
use backup_testkit::{Call, Client, Fault, FaultyStore, MemoryStore};
use futures_executor::block_on;

/// Fails an enrolment by `break_it` and removes what it left by what it announced.
fn failed_enrolment(break_it: impl Fn(&FaultyStore<MemoryStore>), left: usize) -> ErrorKind {
    block_on(async {
        let (memory, client) = (MemoryStore::new(), Client::new());
        let store = FaultyStore::new(memory.clone());
        break_it(&store);
        let method = StoredKey::new(store.clone());
        let error = method.enroll(&client.op(Purpose::Enroll)).await.unwrap_err();
        assert_eq!(memory.len(), left, "left by the failed enrolment");
        store.heal();
        for (id, params) in client.journal.take() {
            assert_eq!(id, method.id());
            method.revoke(&client.op(Purpose::Revoke), &params).await.unwrap();
        }
        assert!(memory.is_empty(), "what a failed enrolment left is not removed");
        error.kind()
    })
}

#[test]
fn refused_put_leaves_nothing() {
    let kind = failed_enrolment(|store| store.inject(Fault::on(Call::Put)), 0);
    assert_eq!(kind, ErrorKind::Unavailable);
}

#[test]
fn lost_answer_leaves_a_key_that_the_journal_names() {
    let kind = failed_enrolment(|store| store.inject(Fault::on(Call::Put).after_effect()), 1);
    assert_eq!(kind, ErrorKind::Unavailable);
}

#[test]
fn failed_reading_back_leaves_a_key_that_the_journal_names() {
    let kind = failed_enrolment(|store| store.inject(Fault::on(Call::Get)), 1);
    assert_eq!(kind, ErrorKind::Unavailable);
}

#[test]
fn key_that_is_not_to_be_seen_yet_is_not_trusted() {
    let kind = failed_enrolment(|store| store.delay_new_names(1), 1);
    assert_eq!(kind, ErrorKind::Unavailable);
}

#[test]
fn faults_hit_the_call_that_they_are_for() {
    block_on(async {
        let client = Client::new();
        let op = client.op(Purpose::Unlock);
        let prefix = KeyPrefix::of(client.context());
        let store = FaultyStore::new(MemoryStore::new());
        let method = StoredKey::new(store.clone());
        for _ in 0..3 {
            method.enroll(&op).await.unwrap();
        }
        store.list_at_most(2);
        assert_eq!(store.list(&op, &prefix).await.unwrap().len(), 2);
        store.inject(Fault::on(Call::List).sparing(1).with_kind(ErrorKind::Unauthorized));
        store.check(&op).await.unwrap();
        store.list(&op, &prefix).await.unwrap();
        let error = store.list(&op, &prefix).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        store.list(&op, &prefix).await.unwrap();
        let calls = store.calls();
        assert_eq!(calls[..2], [Call::Put, Call::Get]);
        assert_eq!(calls.iter().filter(|call| **call == Call::List).count(), 4);
    });
}
