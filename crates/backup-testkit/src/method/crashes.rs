//! Rules: whatever is cut short does no damage, and what it leaves is found again.

use std::sync::Mutex;

use backup_core::{BackupMethod, ErrorKind, Journal, MethodId, MethodParams, Purpose, Result};

use super::{
    checks::PURPOSES,
    keys::{ENROLLS, slot_params},
    revocation::{REVOKES, revoke},
    traces::Traces,
};
use crate::{
    Client, Fixture, drops::poll_then_drop, expect::must, expect::must_fail, record::lock,
};

/// A storing method announces, by [`Operation::will_leave`], before its first lasting effect.
///
/// What lies in a back end that no journal names stays there for good, and it is a key.
///
/// [`Operation::will_leave`]: backup_core::Operation::will_leave
pub async fn announces_before_it_leaves_anything(fixture: &impl Fixture) {
    if !fixture.stores() {
        return;
    }
    let client = Client::new();
    let before = fixture.left_behind();
    let witness = Witness { fixture, seen: Mutex::default() };
    let op = client.op_with(Purpose::Enroll, &witness);
    must(fixture.method().enroll(&op).await, ENROLLS);
    let seen = lock(&witness.seen).first().copied();
    let Some(at_first) = seen else {
        panic!("an enrolment leaves a key behind and announces nothing: a crash orphans it");
    };
    assert_eq!(at_first, before, "something was left behind before it was announced");
}

/// If the announcement cannot be recorded, a storing method fails and leaves nothing behind.
pub async fn refused_announcement_leaves_nothing(fixture: &impl Fixture) {
    if !fixture.stores() {
        return;
    }
    let (method, client) = (fixture.method(), Client::new());
    let before = Traces::of(fixture, &client).await;
    client.journal.refuse(true);
    let made = method.enroll(&client.op(Purpose::Enroll)).await;
    let after = Traces::of(fixture, &client).await;
    after.assert_still(&before, "a key was left behind that the journal could not record");
    assert!(made.is_err(), "an enrolment succeeds that the journal could not record");
}

/// Wherever an enrolment is dropped, revoking what it had announced removes all that it left, and
/// so it does after one that came to its end.
pub async fn announced_params_revoke_what_is_left(fixture: &impl Fixture) {
    for_every_drop(async |polls| {
        let (method, client) = (fixture.method(), Client::new());
        let before = Traces::of(fixture, &client).await;
        let made = poll_then_drop(polls, method.enroll(&client.op(Purpose::Enroll))).await;
        fixture.settle().await;
        revoke_announced(fixture, &client).await;
        let after = Traces::of(fixture, &client).await;
        let meaning = format!(
            "an enrolment dropped after {polls} polls left a key that its announcements do not \
             revoke: nobody will find it"
        );
        after.assert_still(&before, &meaning);
        if let (Some(made), true) = (&made, fixture.stores()) {
            let params = must(made.as_ref().map_err(rebuilt), ENROLLS).params.clone();
            let unlocked = fixture.method().unlock(&client.op(Purpose::Unlock), &params).await;
            assert!(unlocked.is_err(), "what an enrolment announced does not revoke it");
        }
        made.is_some()
    })
    .await;
}

/// What a method says it holds, after an enrolment that was dropped and one that was not, is
/// revoked by the very parameters it lists.
pub async fn held_params_revoke_what_is_held(fixture: &impl Fixture) {
    for_every_drop(async |polls| {
        let (method, client) = (fixture.method(), Client::new());
        let made = poll_then_drop(polls, method.enroll(&client.op(Purpose::Enroll))).await;
        for params in Traces::of(fixture, &client).await.held {
            let params = must(MethodParams::from_bytes(params), "held parameters are too long");
            revoke_by_a_part(fixture, &client, None, &params).await;
        }
        let held = Traces::of(fixture, &client).await.held.len();
        assert_eq!(held, 0, "what is held stays held after it was revoked ({polls} polls)");
        made.is_some()
    })
    .await;
}

/// Wherever an enrolment is dropped, earlier backups open, and a new enrolment works.
pub async fn dropped_enrolment_does_no_damage(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let earlier = must(client.back_up(&method).await, ENROLLS);
    for_every_drop(async |polls| {
        let made = poll_then_drop(polls, method.enroll(&client.op(Purpose::Enroll))).await;
        fixture.settle().await;
        let meaning = format!("an enrolment dropped after {polls} polls lost an earlier backup");
        must(client.open(&fixture.method(), &earlier).await, &meaning);
        made.is_some()
    })
    .await;
    let later = must(client.back_up(&method).await, "a dropped enrolment prevents later ones");
    must(client.open(&method, &earlier).await, "after dropped enrolments an earlier one is lost");
    must(client.open(&method, &later).await, "after dropped enrolments a new one does not open");
}

/// Wherever an unlock is dropped, the backup opens afterwards, on this device and on another.
pub async fn dropped_unlock_does_no_damage(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let envelope = must(client.back_up(&method).await, ENROLLS);
    let params = slot_params(&envelope);
    for_every_drop(async |polls| {
        let op = client.op(Purpose::Unlock);
        let unlocked = poll_then_drop(polls, method.unlock(&op, &params)).await;
        fixture.settle().await;
        let meaning = format!("an unlock dropped after {polls} polls lost the backup");
        must(client.open(&method, &envelope).await, &meaning);
        unlocked.is_some()
    })
    .await;
    must(client.open(&fixture.method(), &envelope).await, "dropped unlocks lost the backup");
}

/// Wherever a revocation is dropped, other backups open, and it can be repeated to its end.
pub async fn dropped_revocation_does_no_damage(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let kept = must(client.back_up(&method).await, ENROLLS);
    for_every_drop(async |polls| {
        let revoked = must(client.back_up(&method).await, ENROLLS);
        let params = slot_params(&revoked);
        let op = client.op(Purpose::Revoke);
        let done = poll_then_drop(polls, method.revoke(&op, &params)).await;
        fixture.settle().await;
        let meaning = format!("a revocation dropped after {polls} polls lost another backup");
        must(client.open(&fixture.method(), &kept).await, &meaning);
        must(revoke(&method, &client, &revoked).await, REVOKES);
        if fixture.stores() {
            let kinds = [ErrorKind::NotFound, ErrorKind::Unauthorized];
            let opened = client.open(&fixture.method(), &revoked).await;
            must_fail(opened, &kinds, "a revocation that was dropped cannot be repeated");
        }
        done.is_some()
    })
    .await;
}

/// Wherever a check or a listing is dropped, nothing has changed.
pub async fn dropped_inquiry_does_no_damage(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let envelope = must(client.back_up(&method).await, ENROLLS);
    let before = Traces::of(fixture, &client).await;
    for purpose in PURPOSES {
        let op = client.op(purpose);
        for_every_drop(async |polls| {
            poll_then_drop(polls, method.check(&op)).await.is_some()
                & poll_then_drop(polls, method.held(&op)).await.is_some()
        })
        .await;
    }
    let after = Traces::of(fixture, &client).await;
    after.assert_still(&before, "a check or a listing that was dropped left a trace");
    must(client.open(&method, &envelope).await, "a dropped check or listing lost a backup");
}

/// Calls `attempt` with 0, 1, 2 … polls until it says that its operation came to an end.
pub(crate) async fn for_every_drop(mut attempt: impl AsyncFnMut(usize) -> bool) {
    for polls in 0..MAX_POLLS {
        if attempt(polls).await {
            return;
        }
    }
    panic!("an operation does not come to its end within {MAX_POLLS} polls");
}

const MAX_POLLS: usize = 1000;

async fn revoke_announced(fixture: &impl Fixture, client: &Client) {
    for (id, params) in client.journal.entries() {
        revoke_by_a_part(fixture, client, Some(&id), &params).await;
    }
}

/// Lets every part revoke that may have left this; one of them has to know it.
async fn revoke_by_a_part(
    fixture: &impl Fixture,
    client: &Client,
    id: Option<&MethodId>,
    params: &MethodParams,
) {
    let mut result = None;
    for part in fixture.parts() {
        if id.is_none_or(|id| *id == part.id()) {
            let revoked = part.revoke(&client.op(Purpose::Revoke), params).await;
            result = match result {
                Some(Ok(())) => result,
                _ => Some(revoked),
            };
        }
    }
    let result = result.expect("what was announced belongs to the method or to one of its parts");
    must(result, "what a method announced or holds cannot be revoked by those parameters");
}

fn rebuilt(error: &backup_core::Error) -> backup_core::Error {
    backup_core::Error::new(error.kind(), error.to_string())
}

/// Sees how much lies in the back end at each announcement.
struct Witness<'a, F> {
    fixture: &'a F,
    seen: Mutex<Vec<Option<usize>>>,
}

impl<F: Fixture> Journal for Witness<'_, F> {
    fn will_leave(&self, _: &MethodId, _: &MethodParams) -> Result<()> {
        lock(&self.seen).push(self.fixture.left_behind());
        Ok(())
    }
}
