//! Who is told what of a shared commit, and what becomes of those who go away.

use std::sync::atomic::{AtomicUsize, Ordering};

use backup_core::{BackupId, ClientId, CustodianId, EncryptionContext, MethodId};
use portal_api::{Completion, DeviceKey};
use portal_mpc::ByCurve;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::task::{AbortHandle, JoinHandle};

use super::*;
use crate::{
    api_key::{ApiKey, Audience},
    effects::{Effect, EffectObserver},
    store::{EnvelopeSlot, NewBackupSet, StoredEnvelope, filling::Place, tests::add_custodian},
};

/// Counts commits.
#[derive(Debug, Default)]
struct Commits(AtomicUsize);

impl EffectObserver for Commits {
    fn before(&self, effect: Effect) {
        if matches!(effect, Effect::Committed) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

async fn counted_store() -> (Store, Arc<Commits>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let commits = Arc::new(Commits::default());
    let observer = Arc::clone(&commits) as Arc<dyn EffectObserver>;
    let store = Store::open(&folder.path().join("portal.db"), observer).await.unwrap();
    commits.0.store(0, Ordering::SeqCst);
    (store, commits, folder)
}

/// Adds a client with so many sets, and says which places they have for envelopes.
async fn places(store: &Store, count: usize) -> (ClientId, Vec<EnvelopeSlot>) {
    let client = ClientId::new("alice").unwrap();
    let mut write = store.write().await.unwrap();
    add_custodian(&mut write, "acme").await;
    let context = EncryptionContext::new(CustodianId::new("acme").unwrap(), client.clone());
    let key = ApiKey::generate(Audience::Client).unwrap();
    write.insert_client(&context, &key.hash(), false, 1).await.unwrap();
    let mut sets = Vec::new();
    for number in 0..count {
        let set = NewBackupSet {
            id: BackupId::generate().unwrap(),
            method: MethodId::new(format!("com.example.method-{number}")).unwrap(),
            completion: Completion::Commit,
            device_key: DeviceKey::generate().unwrap().public(),
            pairs: ByCurve::default(),
        };
        write.insert_backup(&context, &set, 1).await.unwrap();
        sets.push(set.id);
    }
    // No device signs in this test.
    write.made.iter_mut().for_each(|(_, slot)| slot.live_key = None);
    write.commit().await.unwrap();
    let places = sets.iter().map(|set| store.fresh_place(set).unwrap().1).collect();
    (client, places)
}

/// Fills a place, by a task of its own.
fn filling(
    store: &Store,
    client: &ClientId,
    place: &EnvelopeSlot,
    text: &'static str,
) -> JoinHandle<Result<bool, StoreError>> {
    let (store, client, place) = (store.clone(), client.clone(), place.clone());
    tokio::spawn(async move {
        let sha256 = Sha256::digest(text).into();
        let envelope = StoredEnvelope { text, sha256, enrollment: [2; 32] };
        store.store_envelope(&client, &place, &envelope, None).await
    })
}

/// Has these filled while somebody else has the turn, and then gives it to them.
async fn filled_together(
    store: &Store,
    client: &ClientId,
    texts: &[(&EnvelopeSlot, &'static str)],
) -> Vec<Result<bool, StoreError>> {
    let turn = store.write().await.unwrap();
    let mut waiting = Vec::new();
    for (place, text) in texts {
        waiting.push(filling(store, client, place, text));
        tokio::task::yield_now().await;
    }
    drop(turn);
    let mut told = Vec::new();
    for waiting in waiting {
        told.push(waiting.await.unwrap());
    }
    told
}

fn all_told(told: Vec<Result<bool, StoreError>>) -> Vec<bool> {
    told.into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn envelopes_that_wait_for_the_same_turn_are_one_commit_and_each_hears_of_its_own() {
    let (store, commits, _folder) = counted_store().await;
    let (client, places) = places(&store, 3).await;
    let [filled, one, two] = &places[..] else { panic!("there are three") };
    assert!(filling(&store, &client, filled, "before").await.unwrap().unwrap());
    let before = commits.0.load(Ordering::SeqCst);
    let texts = [(one, "one"), (filled, "other"), (two, "two")];
    assert_eq!(all_told(filled_together(&store, &client, &texts).await), [true, false, true]);
    assert_eq!(commits.0.load(Ordering::SeqCst), before + 1);
    let mut view = store.read().await.unwrap();
    for (place, text) in [(filled, "before"), (one, "one"), (two, "two")] {
        let stored = view.envelope(&client, &place.id).await.unwrap();
        assert_eq!(stored.as_deref(), Some(text));
    }
}

#[tokio::test]
async fn of_two_envelopes_for_one_place_that_wait_together_the_first_is_stored() {
    let (store, _commits, _folder) = counted_store().await;
    let (client, places) = places(&store, 2).await;
    let texts = [(&places[0], "one"), (&places[0], "two"), (&places[1], "three")];
    assert_eq!(all_told(filled_together(&store, &client, &texts).await), [true, false, true]);
    let stored = store.read().await.unwrap().envelope(&client, &places[0].id).await.unwrap();
    assert_eq!(stored.as_deref(), Some("one"));
}

#[tokio::test]
async fn more_envelopes_than_are_written_together_are_all_stored() {
    let (store, commits, _folder) = counted_store().await;
    let (client, places) = places(&store, MOST + 1).await;
    let before = commits.0.load(Ordering::SeqCst);
    let texts: Vec<_> = places.iter().map(|place| (place, "an envelope")).collect();
    let told = all_told(filled_together(&store, &client, &texts).await);
    assert_eq!(told, vec![true; MOST + 1]);
    assert_eq!(commits.0.load(Ordering::SeqCst), before + 2);
}

#[tokio::test]
async fn an_envelope_that_nobody_waits_with_is_a_commit_of_its_own() {
    let (store, commits, _folder) = counted_store().await;
    let (client, places) = places(&store, 2).await;
    let before = commits.0.load(Ordering::SeqCst);
    let texts = [(0, "an envelope", true), (0, "another", false), (1, "another", true)];
    for (place, text, is_filled) in texts {
        let told = filling(&store, &client, &places[place], text).await.unwrap();
        assert_eq!(told.unwrap(), is_filled);
    }
    assert_eq!(commits.0.load(Ordering::SeqCst), before + 3);
}

#[tokio::test]
async fn an_envelope_that_is_there_already_is_told_to_be_there() {
    let (store, _commits, _folder) = counted_store().await;
    let (client, places) = places(&store, 2).await;
    assert!(filling(&store, &client, &places[0], "one").await.unwrap().unwrap());
    let texts = [(&places[0], "one"), (&places[1], "two")];
    assert_eq!(all_told(filled_together(&store, &client, &texts).await), [true, true]);
}

#[tokio::test]
async fn an_envelope_that_cannot_be_stored_takes_those_along_that_were_to_be_with_it() {
    let (store, _commits, _folder) = counted_store().await;
    let (client, places) = places(&store, 3).await;
    let refusing = "CREATE TRIGGER refusing BEFORE UPDATE ON backup_sets \
                    WHEN NEW.envelope = 'refused' BEGIN SELECT RAISE(ABORT, 'refused'); END";
    sqlx::query(refusing).execute(&store.writer).await.unwrap();
    let texts = [(&places[0], "one"), (&places[1], "refused"), (&places[2], "three")];
    let told = filled_together(&store, &client, &texts).await;
    assert!(told.iter().all(Result::is_err), "{told:?}");
    let undone = told.iter().filter(|told| matches!(told, Err(StoreError::Undone)));
    assert_eq!(undone.count(), 2);
    let texts = [(&places[0], "one"), (&places[2], "three")];
    assert_eq!(all_told(filled_together(&store, &client, &texts).await), [true, true]);
}

#[tokio::test]
async fn a_caller_who_goes_away_while_it_waits_holds_up_nobody() {
    let (store, _commits, _folder) = counted_store().await;
    let (client, places) = places(&store, 2).await;
    let turn = store.write().await.unwrap();
    let gone = filling(&store, &client, &places[0], "one");
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    drop(turn);
    assert!(filling(&store, &client, &places[1], "two").await.unwrap().unwrap());
}

#[tokio::test]
async fn a_duty_that_ends_before_it_is_done_leaves_nobody_waiting() {
    let (store, _commits, _folder) = counted_store().await;
    let (client, places) = places(&store, 1).await;
    let filling_of_none = Filling {
        key: None,
        place: Place { client: client.clone(), backup: BackupId::generate().unwrap() },
        number: 0,
        live_key: None,
        text: String::new(),
        sha256: [0; 32],
        enrollment: [0; 32],
    };
    let (caller, told) = oneshot::channel();
    let duty = Duty::of(&store.queue, Waiting { filling: filling_of_none, caller });
    let waiting = filling(&store, &client, &places[0], "one");
    tokio::task::yield_now().await;
    drop(duty.expect("nobody else has it"));
    told.await.unwrap_err();
    assert!(matches!(waiting.await.unwrap(), Err(StoreError::Undone)));
    assert!(filling(&store, &client, &places[0], "one").await.unwrap().unwrap());
}

/// Sends away the first caller of a commit as it begins.
#[derive(Debug, Default)]
struct SendingAway(Mutex<Option<AbortHandle>>);

impl EffectObserver for SendingAway {
    fn before(&self, effect: Effect) {
        if matches!(effect, Effect::Commit)
            && let Some(first) = self.0.lock().unwrap().take()
        {
            first.abort();
        }
    }
}

#[tokio::test]
async fn a_caller_who_goes_away_while_its_commit_is_under_way_undoes_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let away = Arc::new(SendingAway::default());
    let observer = Arc::clone(&away) as Arc<dyn EffectObserver>;
    let store = Store::open(&folder.path().join("portal.db"), observer).await.unwrap();
    let (client, places) = places(&store, 2).await;
    let turn = store.write().await.unwrap();
    let first = filling(&store, &client, &places[0], "one");
    *away.0.lock().unwrap() = Some(first.abort_handle());
    tokio::task::yield_now().await;
    let second = filling(&store, &client, &places[1], "two");
    tokio::task::yield_now().await;
    drop(turn);
    assert!(first.await.unwrap_err().is_cancelled());
    assert!(second.await.unwrap().unwrap());
    let stored = store.read().await.unwrap().envelope(&client, &places[0].id).await.unwrap();
    assert_eq!(stored.as_deref(), Some("one"));
}
