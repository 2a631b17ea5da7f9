//! Rules: what is asked of users, and what becomes of their answers.

use backup_core::{BackupMethod, Envelope, ErrorKind, Progress, Purpose, Stage};

use super::{
    keys::{ENROLLS, slot_params},
    traces::Traces,
};
use crate::{Client, Fixture, expect::must, expect::must_fail};

/// The fixture says what there is to say, so that no rule holds for want of a test: users who are
/// asked can decline; a secret that nothing stores can be wrong; what is known stands in
/// [`Fixture::secrets`]; a method that is said to store nothing leaves nothing.
pub async fn fixture_leaves_nothing_out(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let before = Traces::of(fixture, &client).await;
    let envelope = must(client.back_up(&method).await, ENROLLS);
    must(client.open(&method, &envelope).await, OPENS);
    if fixture.prompts() > 0 {
        let declining = fixture.with_declining_user();
        assert!(declining.is_some(), "users are asked, so `with_declining_user` is needed");
    }
    if fixture.prompts() > 0 && !fixture.stores() {
        let wrong = fixture.with_wrong_user().is_some() && fixture.with_clumsy_user().is_some();
        assert!(wrong, "users can err, so `with_wrong_user` and `with_clumsy_user` are needed");
    }
    if !fixture.stores() {
        let after = Traces::of(fixture, &client).await;
        after.assert_still(&before, "`stores` says no, but an enrolment left something");
    }
}

/// A wrong secret or another account is [`ErrorKind::Unauthorized`], on however many attempts.
///
/// It is judged through a slot, since a method that derives its key cannot know. A method that
/// stores may say [`ErrorKind::NotFound`] of another account. Afterwards the right user gets in.
pub async fn wrong_secret_is_unauthorized(fixture: &impl Fixture) {
    let Some(wrong) = fixture.with_wrong_user() else { return };
    let client = Client::new();
    let envelope = must(client.back_up(&fixture.method()).await, ENROLLS);
    let kinds: &[_] = if fixture.stores() {
        &[ErrorKind::Unauthorized, ErrorKind::NotFound]
    } else {
        &[ErrorKind::Unauthorized]
    };
    must_fail(client.open(&wrong, &envelope).await, kinds, "a wrong secret is not refused as such");
    must(
        client.open(&fixture.method(), &envelope).await,
        "a wrong secret locked out the right one",
    );
}

/// The right secret after a wrong one opens the backup within the allowed attempts, without a new
/// operation.
pub async fn right_secret_after_a_wrong_one_opens(fixture: &impl Fixture) {
    let Some(clumsy) = fixture.with_clumsy_user() else { return };
    let client = Client::new();
    let envelope = must(client.back_up(&fixture.method()).await, ENROLLS);
    must(client.open(&clumsy, &envelope).await, "who errs once does not get in any more");
}

/// A user who declines gets [`ErrorKind::Cancelled`], to enroll and to unlock, and is not asked
/// again: an app that takes it for a failure would nag, or tell that the backup is lost.
pub async fn declining_is_cancelled(fixture: &impl Fixture) {
    let Some(declining) = fixture.with_declining_user() else { return };
    let client = Client::new();
    let envelope = must(client.back_up(&fixture.method()).await, ENROLLS);
    let [enrolling, unlocking] = prompts_of(fixture, &client, &envelope).await;
    let kinds = [ErrorKind::Cancelled];
    let asked = fixture.prompts();
    if enrolling > 0 {
        must_fail(client.back_up(&declining).await, &kinds, "declining to enroll is not heard");
        assert!(fixture.prompts() <= asked + enrolling, "who declined to enroll is asked again");
    }
    let asked = fixture.prompts();
    if unlocking > 0 {
        let opened = client.open(&declining, &envelope).await;
        must_fail(opened, &kinds, "declining to unlock is not heard");
        assert!(fixture.prompts() <= asked + unlocking, "who declined to unlock is asked again");
    }
}

/// Declining changes nothing: nothing more is kept, and earlier backups open.
pub async fn declining_changes_nothing(fixture: &impl Fixture) {
    let Some(declining) = fixture.with_declining_user() else { return };
    let client = Client::new();
    let envelope = must(client.back_up(&fixture.method()).await, ENROLLS);
    let [enrolling, _] = prompts_of(fixture, &client, &envelope).await;
    let before = Traces::of(fixture, &client).await;
    if enrolling > 0 {
        let _ = client.back_up(&declining).await;
    }
    let _ = client.open(&declining, &envelope).await;
    let after = Traces::of(fixture, &client).await;
    after.assert_still(&before, "a user declined, and something is left or gone");
    must(client.open(&fixture.method(), &envelope).await, "declining lost an earlier backup");
}

/// Whenever users are waited for, progress says so, before and after: as often as they are asked,
/// also if they decline.
///
/// An app shows a spinner otherwise while nothing happens, and its time limits hit slow readers.
pub async fn says_when_the_user_is_waited_for(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let envelope = must(client.back_up(&method).await, ENROLLS);
    assert_waits_are_told(fixture.prompts(), &client.progress.take(), "enroll");
    let asked = fixture.prompts();
    must(client.open(&method, &envelope).await, OPENS);
    assert_waits_are_told(fixture.prompts() - asked, &client.progress.take(), "unlock");
    if let Some(declining) = fixture.with_declining_user() {
        let asked = fixture.prompts();
        let _ = client.open(&declining, &envelope).await;
        let told = client.progress.take();
        assert_waits_are_told(fixture.prompts() - asked, &told, "unlock, when declined");
    }
    let asked = fixture.prompts();
    let revoked = method.revoke(&client.op(Purpose::Revoke), &slot_params(&envelope)).await;
    must(revoked, "it does not revoke");
    assert_waits_are_told(fixture.prompts() - asked, &client.progress.take(), "revoke");
}

/// A method never reports [`Stage::Done`]: with its work a backup is not stored anywhere yet, and
/// nobody may be told of one.
pub async fn never_says_done(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let envelope = must(client.back_up(&method).await, ENROLLS);
    must(client.open(&method, &envelope).await, OPENS);
    let revoked = method.revoke(&client.op(Purpose::Revoke), &slot_params(&envelope)).await;
    must(revoked, "it does not revoke");
    assert!(
        !client.progress.reports().contains(&Progress::Stage(Stage::Done)),
        "the method reports `Done`: users would believe in a backup that does not exist"
    );
}

/// How often a user is asked to enroll, and to unlock.
async fn prompts_of(fixture: &impl Fixture, client: &Client, envelope: &Envelope) -> [usize; 2] {
    let before = fixture.prompts();
    must(client.back_up(&fixture.method()).await, ENROLLS);
    let enrolled = fixture.prompts();
    must(client.open(&fixture.method(), envelope).await, OPENS);
    [enrolled - before, fixture.prompts() - enrolled]
}

#[track_caller]
fn assert_waits_are_told(prompts: usize, reports: &[Progress], during: &str) {
    let turns: Vec<_> = reports
        .iter()
        .filter(|report| matches!(report, Progress::WaitingForUser | Progress::UserAnswered))
        .collect();
    let in_turn =
        turns.chunks(2).all(|turn| turn == [&Progress::WaitingForUser, &Progress::UserAnswered]);
    assert!(in_turn, "to {during} does not wait for the user and get answers in turn: {turns:?}");
    assert_eq!(turns.len() / 2, prompts, "to {during} asks the user more or less than it says");
}

const OPENS: &str = "a backup does not open, though its user does the right thing";
