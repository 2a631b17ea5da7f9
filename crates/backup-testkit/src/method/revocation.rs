//! Rules: what is revoked is gone, and nothing else is.

use backup_core::{BackupMethod, Envelope, ErrorKind, Purpose, Result};

use super::keys::{ENROLLS, slot_params};
use crate::{Client, Fixture, expect::must, expect::must_fail};

/// What a storing method has revoked does not unlock any more, on any device: the user was told
/// that it is destroyed.
pub async fn revoked_enrolment_does_not_unlock(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let envelope = must(client.back_up(&method).await, ENROLLS);
    must(revoke(&method, &client, &envelope).await, REVOKES);
    if !fixture.stores() {
        return;
    }
    for method in [&method, &fixture.method()] {
        let opened = client.open(method, &envelope).await;
        let kinds = [ErrorKind::NotFound, ErrorKind::Unauthorized];
        must_fail(opened, &kinds, "a revoked backup is not said to be gone");
    }
}

/// Revoking what is gone already is success: an answer that was lost is repeated.
pub async fn revoking_again_is_fine(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let envelope = must(client.back_up(&method).await, ENROLLS);
    must(revoke(&method, &client, &envelope).await, REVOKES);
    must(revoke(&method, &client, &envelope).await, "revoking a second time fails");
    must(revoke(&fixture.method(), &client, &envelope).await, "revoking elsewhere fails");
}

/// Other enrolments, earlier and later, unlock after one was revoked, and after it was again.
pub async fn revoking_spares_other_enrolments(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let earlier = must(client.back_up(&method).await, ENROLLS);
    let revoked = must(client.back_up(&method).await, ENROLLS);
    let later = must(client.back_up(&method).await, ENROLLS);
    for _ in 0..2 {
        let _ = revoke(&method, &client, &revoked).await;
        must(client.open(&method, &earlier).await, "revoking lost an earlier backup");
        must(client.open(&fixture.method(), &later).await, "revoking lost a later backup");
    }
}

pub(super) async fn revoke(
    method: &dyn BackupMethod,
    client: &Client,
    envelope: &Envelope,
) -> Result<()> {
    method.revoke(&client.op(Purpose::Revoke), &slot_params(envelope)).await
}

pub(super) const REVOKES: &str = "an enrolment cannot be revoked, though its back end works";
