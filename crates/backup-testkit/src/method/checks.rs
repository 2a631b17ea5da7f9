//! Rules: a check tells beforehand, and does nothing.

use backup_core::{BackupMethod, ErrorKind, Progress, Purpose};

use super::{keys::ENROLLS, keys::slot_params, traces::Traces};
use crate::{Client, Fixture, expect::must, expect::must_fail};

/// The check succeeds where enrolling, unlocking and revoking do.
pub async fn check_succeeds_when_enrolling_does(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    for purpose in PURPOSES {
        let checked = method.check(&client.op(purpose)).await;
        must(checked, &format!("a check to {purpose:?} refuses what would succeed"));
    }
}

/// The check asks nobody, whatever it is for.
pub async fn check_asks_nobody(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let asked = fixture.prompts();
    for purpose in PURPOSES {
        let _ = method.check(&client.op(purpose)).await;
        assert_eq!(fixture.prompts(), asked, "a check to {purpose:?} asks the user");
        assert!(
            !client.progress.take().contains(&Progress::WaitingForUser),
            "a check to {purpose:?} waits for the user"
        );
    }
}

/// The check leaves no trace and announces none: an app runs it to decide what to offer.
pub async fn check_leaves_no_trace(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let envelope = must(client.back_up(&method).await, ENROLLS);
    let before = Traces::of(fixture, &client).await;
    client.journal.take();
    for purpose in PURPOSES {
        let _ = method.check(&client.op(purpose)).await;
        let after = Traces::of(fixture, &client).await;
        after.assert_still(&before, &format!("a check to {purpose:?} leaves a trace"));
        assert!(
            client.journal.take().is_empty(),
            "a check to {purpose:?} announces to leave something"
        );
    }
    must(client.open(&method, &envelope).await, "a check lost a backup");
}

/// The check fails as [`ErrorKind::Unavailable`] while the back end is away, before a wallet's new
/// shares depend on it.
pub async fn check_fails_when_the_back_end_is_away(fixture: &impl Fixture) {
    let Some(away) = fixture.with_back_end_away() else { return };
    let client = Client::new();
    for purpose in PURPOSES {
        let checked = away.check(&client.op(purpose)).await;
        let meaning = format!("a check to {purpose:?} does not notice that the back end is away");
        must_fail(checked, &[ErrorKind::Unavailable], &meaning);
    }
}

/// Every operation says [`ErrorKind::Unavailable`] while the back end is away: not that a key is
/// gone or a secret wrong, nor that nothing is held, nor that anything was revoked.
pub async fn back_end_that_is_away_is_unavailable(fixture: &impl Fixture) {
    let Some(away) = fixture.with_back_end_away() else { return };
    let client = Client::new();
    let envelope = must(client.back_up(&fixture.method()).await, ENROLLS);
    let kinds = [ErrorKind::Unavailable];
    let op = client.op(Purpose::Revoke);
    must_fail(away.enroll(&client.op(Purpose::Enroll)).await, &kinds, "a key that nobody keeps");
    must_fail(client.open(&away, &envelope).await, &kinds, "an outage looks like a lost wallet");
    if fixture.stores() {
        let revoked = away.revoke(&op, &slot_params(&envelope)).await;
        must_fail(revoked, &kinds, "a key is said to be destroyed that still exists");
    }
    if !Traces::of(fixture, &client).await.held.is_empty() {
        must_fail(away.held(&op).await, &kinds, "what is held is overlooked during an outage");
    }
    must(client.open(&fixture.method(), &envelope).await, "a backup was lost by an outage");
}

pub(super) const PURPOSES: [Purpose; 3] = [Purpose::Enroll, Purpose::Unlock, Purpose::Revoke];
