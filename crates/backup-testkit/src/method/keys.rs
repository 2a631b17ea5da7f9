//! Rules: a fresh key each time, and the same one ever after.

use std::sync::Arc;

use backup_core::{BackupMethod, Enrollment, MethodParams, Purpose};
use futures_util::future::join_all;

use crate::{Client, Fixture, expect::must};

/// A method's id is the same on every device and after every operation: its backups are kept and
/// found under it.
pub async fn keeps_its_id(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let id = method.id();
    must(method.enroll(&client.op(Purpose::Enroll)).await, ENROLLS);
    assert_eq!(method.id(), id, "{ID_CHANGED}, after an enrolment");
    assert_eq!(fixture.method().id(), id, "{ID_CHANGED}, on another device");
}

/// Two enrolments, on one device or on two, yield different keys and different parameters.
///
/// Otherwise revoking one backup revokes the other, and who learned an old key opens the new
/// backup.
pub async fn enrolls_a_fresh_key_each_time(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let mut made = Vec::new();
    for method in [&method, &method, &fixture.method()] {
        made.push(must(method.enroll(&client.op(Purpose::Enroll)).await, ENROLLS));
    }
    assert_all_differ(&made);
}

/// The device that enrolled unlocks the same key, and a second time too: nothing is used up.
pub async fn unlocks_the_same_key_again(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let made = must(method.enroll(&client.op(Purpose::Enroll)).await, ENROLLS);
    assert_unlocks(&method, &client, &made, "the first time").await;
    assert_unlocks(&method, &client, &made, "the second time").await;
}

/// A new device with nothing but the parameters and the user unlocks the same key.
///
/// This is what a backup is for: whatever a method keeps in memory is gone with the old device.
pub async fn unlocks_on_a_new_device(fixture: &impl Fixture) {
    let client = Client::new();
    let made = {
        let lost_device = fixture.method();
        must(lost_device.enroll(&client.op(Purpose::Enroll)).await, ENROLLS)
    };
    let client = client.on_a_new_device();
    let first = fixture.method();
    assert_unlocks(&first, &client, &made, "on a new device").await;
    assert_unlocks(&first, &client, &made, "on a new device, again").await;
    assert_unlocks(&fixture.method(), &client, &made, "on a third device").await;
}

/// An earlier enrolment still unlocks after later ones, from the same device and from another.
///
/// A backup is replaced only when the new one has been proved; until then the old one has to open.
pub async fn never_overwrites_an_earlier_enrolment(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let mut envelopes = Vec::new();
    for method in [&method, &method, &fixture.method()] {
        envelopes.push(must(client.back_up(method).await, ENROLLS));
    }
    for (index, envelope) in envelopes.iter().enumerate() {
        let opened = client.open(&fixture.method(), envelope).await;
        let meaning = format!("backup {} of 3 was lost by a later enrolment", index + 1);
        must(opened, &meaning);
    }
}

/// Enrolments that run at the same time, on one device and on two, all succeed, yield different
/// keys, and all unlock.
pub async fn parallel_enrolments_are_independent(fixture: &impl Fixture) {
    let (method, other, client) = (fixture.method(), fixture.method(), Client::new());
    let enroll = |method| {
        let op = client.op(Purpose::Enroll);
        async move { BackupMethod::enroll(method, &op).await }
    };
    let made = join_all([&method, &method, &other].map(enroll)).await;
    let made: Vec<_> = made
        .into_iter()
        .map(|made| must(made, "an enrolment disturbed one that ran at the same time"))
        .collect();
    assert_all_differ(&made);
    for made in &made {
        assert_unlocks(&fixture.method(), &client, made, "after a parallel enrolment").await;
    }
}

/// It works behind `Arc<dyn BackupMethod>`, `Box<dyn BackupMethod>` and a reference, as apps hold
/// it.
pub async fn works_behind_pointers(fixture: &impl Fixture) {
    let client = Client::new();
    let shared: Arc<dyn BackupMethod> = Arc::new(fixture.method());
    let boxed: Box<dyn BackupMethod> = Box::new(fixture.method());
    assert_eq!((shared.id(), boxed.id()), (fixture.method().id(), fixture.method().id()));
    let envelope = must(client.back_up(&shared).await, ENROLLS);
    must(client.open(&boxed, &envelope).await, "a backup does not open behind a Box");
    must(client.open(&*shared, &envelope).await, "a backup does not open behind a reference");
    let params = slot_params(&envelope);
    must(shared.revoke(&client.op(Purpose::Revoke), &params).await, "an Arc does not revoke");
}

/// The futures are `Send`, and so are the handles: an app runs them on whatever thread it likes.
///
/// Most of this is decided when the suite compiles.
pub async fn futures_are_send(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    assert_shareable(&method);
    let op = client.op(Purpose::Enroll);
    must(sendable(method.check(&op)).await, "the check fails");
    let made = must(sendable(method.enroll(&op)).await, ENROLLS);
    let op = client.op(Purpose::Unlock);
    must(sendable(method.unlock(&op, &made.params)).await, "it does not unlock");
    must(sendable(method.held(&op)).await, "it does not say what it holds");
    let op = client.op(Purpose::Revoke);
    must(sendable(method.revoke(&op, &made.params)).await, "it does not revoke");
}

fn assert_shareable<T: Send + Sync + 'static>(_: &T) {}

fn sendable<F: Future + Send>(future: F) -> F {
    future
}

#[track_caller]
fn assert_all_differ(made: &[Enrollment]) {
    for (index, one) in made.iter().enumerate() {
        for other in &made[index + 1..] {
            assert!(
                one.wrapping_key.expose() != other.wrapping_key.expose(),
                "two enrolments have the same key: whoever learned one opens both backups"
            );
            assert!(
                one.params != other.params,
                "two enrolments have the same parameters: revoking one destroys both"
            );
        }
    }
}

pub(super) async fn assert_unlocks(
    method: &dyn BackupMethod,
    client: &Client,
    made: &Enrollment,
    when: &str,
) {
    let key = method.unlock(&client.op(Purpose::Unlock), &made.params).await;
    let key = must(key, &format!("an enrolment does not unlock {when}: the wallet is lost"));
    assert!(
        key.expose() == made.wrapping_key.expose(),
        "an enrolment unlocks another key {when}: the wallet is lost"
    );
}

/// The parameters that an envelope carries.
pub(super) fn slot_params(envelope: &backup_core::Envelope) -> MethodParams {
    let slot = envelope.header().slot.as_ref().expect("an enrolment makes a slot");
    slot.params().clone()
}

pub(super) const ENROLLS: &str =
    "an enrolment fails, though its user does the right thing and its back end works";

const ID_CHANGED: &str = "the method's id changes: its backups are not found under the new one";
