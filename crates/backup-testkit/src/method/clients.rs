//! Rules: one client's backups are nothing to another one.

use backup_core::{BackupMethod, ErrorKind, Purpose};

use super::{
    keys::{ENROLLS, slot_params},
    traces::Traces,
};
use crate::{Client, Fixture, expect::must, expect::must_fail};

/// A backup of one client does not open for another one who uses the same method in the same place.
pub async fn other_clients_backup_does_not_open(fixture: &impl Fixture) {
    let (method, client, other) = (fixture.method(), Client::new(), Client::new());
    let envelope = must(client.back_up(&method).await, ENROLLS);
    let kinds = [ErrorKind::Unauthorized, ErrorKind::InvalidParams, ErrorKind::NotFound];
    let opened = other.open(&method, &envelope).await;
    must_fail(opened, &kinds, "another client's backup is not refused as such");
    must(client.open(&method, &envelope).await, "another client's attempt lost a backup");
}

/// What a method says it holds for a client is that client's: an app offers it for removal.
pub async fn other_clients_keys_are_not_held(fixture: &impl Fixture) {
    let (method, client, other) = (fixture.method(), Client::new(), Client::new());
    must(client.back_up(&method).await, ENROLLS);
    let held = Traces::of(fixture, &other).await.held;
    assert!(held.is_empty(), "another client's keys are listed, and would be offered for removal");
    must(other.back_up(&method).await, ENROLLS);
    let (held, others) = (Traces::of(fixture, &client).await, Traces::of(fixture, &other).await);
    assert!(held.held.is_disjoint(&others.held), "one key is listed as that of two clients");
}

/// One client's parameters, given to revoke for another client, destroy nothing.
pub async fn other_clients_keys_are_not_revoked(fixture: &impl Fixture) {
    let (method, client, other) = (fixture.method(), Client::new(), Client::new());
    let envelope = must(client.back_up(&method).await, ENROLLS);
    let _ = method.revoke(&other.op(Purpose::Revoke), &slot_params(&envelope)).await;
    must(client.open(&method, &envelope).await, "another client revoked a backup");
}
