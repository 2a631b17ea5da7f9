//! Rules: no secret stands in any text.

use backup_core::{BackupMethod, Error, Purpose};

use super::{
    keys::{ENROLLS, slot_params},
    params::malformed,
    revocation::revoke,
    tapped::Keys,
};
use crate::{Client, Fixture, LogCapture, Secrets, expect::everything_in, expect::must};

/// `Debug` of the method, before and after use, of enrolments, parameters, what is held, progress
/// and the journal shows no key and nothing that a user knows.
pub async fn debug_shows_no_secret(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let mut texts = vec![("the method, unused", format!("{method:?} {method:#?}"))];
    let made = must(method.enroll(&client.op(Purpose::Enroll)).await, ENROLLS);
    texts.push(("the method, after an enrolment", format!("{method:?} {method:#?}")));
    texts.push(("an enrolment", format!("{made:?} {made:#?}")));
    let key = must(method.unlock(&client.op(Purpose::Unlock), &made.params).await, ENROLLS);
    let held = must(method.held(&client.op(Purpose::Unlock)).await, "it does not list");
    texts.push(("the method, after an unlock", format!("{method:?} {method:#?}")));
    texts.push(("what is held", format!("{held:?} {key:?}")));
    texts.push(("progress", format!("{:?}", client.progress)));
    texts.push(("the journal", format!("{:?}", client.journal)));
    let users = [fixture.with_wrong_user(), fixture.with_clumsy_user()];
    texts.push(("the method of users who err", format!("{users:?} {users:#?}")));

    let keys = Keys::default();
    keys.see(&made.wrapping_key);
    let secrets = keys.and(&fixture.secrets());
    for (what, text) in texts {
        secrets.assert_absent(text, &format!("`Debug` of {what}"));
    }
}

/// No error, nor any of its causes, shows a key or anything that a user knows.
pub async fn errors_show_no_secret(fixture: &impl Fixture) {
    let (errors, secrets) = bad_day(fixture).await;
    for (when, error) in errors {
        secrets.assert_absent(everything_in(&error), &format!("the error {when}"));
    }
}

/// Nothing that is logged, by `log` or `tracing` at any level, shows a key or anything that a user
/// knows, on good days or bad.
pub async fn logs_show_no_secret(fixture: &impl Fixture) {
    let capture = LogCapture::start();
    let (_, secrets) = bad_day(fixture).await;
    secrets.assert_absent(capture.text(), "a log");
}

/// A day on which everything happens that can go right or wrong, with every error and secret of it.
async fn bad_day(fixture: &impl Fixture) -> (Vec<(String, Error)>, Secrets) {
    let (method, client, keys) = (fixture.method(), Client::new(), Keys::default());
    let mut day = Day::default();
    let envelope = must(client.back_up(&keys.tap(&method)).await, ENROLLS);
    day.saw("on a good day", client.open(&keys.tap(&method), &envelope).await);
    let users = [
        ("of a wrong secret", fixture.with_wrong_user()),
        ("of a clumsy user", fixture.with_clumsy_user()),
        ("of a user who declines", fixture.with_declining_user()),
        ("of an outage", fixture.with_back_end_away()),
    ];
    for (when, method) in users {
        let Some(method) = method else { continue };
        day.saw(when, client.open(&keys.tap(&method), &envelope).await);
        day.saw(when, client.back_up(&keys.tap(&method)).await);
        day.saw(when, method.check(&client.op(Purpose::Enroll)).await);
        day.saw(when, method.held(&client.op(Purpose::Revoke)).await);
    }
    for (what, params) in malformed(fixture, &client).await {
        let when = format!("of malformed parameters ({what})");
        day.saw(&when, method.unlock(&client.op(Purpose::Unlock), &params).await);
        day.saw(&when, method.revoke(&client.op(Purpose::Revoke), &params).await);
    }
    let other = Client::new();
    day.saw("of another client", other.open(&keys.tap(&method), &envelope).await);
    day.saw("of a revocation", revoke(&method, &client, &envelope).await);
    day.saw("after a revocation", client.open(&keys.tap(&method), &envelope).await);
    let unlocked = method.unlock(&client.op(Purpose::Unlock), &slot_params(&envelope)).await;
    day.saw("after a revocation", unlocked);
    (day.0, keys.and(&fixture.secrets()))
}

#[derive(Default)]
struct Day(Vec<(String, Error)>);

impl Day {
    fn saw<T>(&mut self, when: &str, result: backup_core::Result<T>) {
        if let Err(error) = result {
            self.0.push((when.to_owned(), error));
        }
    }
}
