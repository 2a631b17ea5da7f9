//! Rules: the parameters of an enrolment, well-formed and malformed.

use backup_core::{
    BackupMethod, Envelope, Error, ErrorKind, MethodParams, Progress, Purpose, Result,
};

use super::{
    keys::{ENROLLS, assert_unlocks, slot_params},
    tapped::Keys,
    traces::Traces,
};
use crate::{Client, Fixture, expect::must, expect::must_fail};

/// The parameters fit into a slot, stay the same bytes in an envelope that was written and read
/// again, and unlock from there.
pub async fn params_survive_an_envelope(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let envelope = must(client.back_up(&method).await, ENROLLS);
    let read = must(Envelope::parse(envelope.as_str()), "the envelope cannot be read again");
    assert!(
        slot_params(&read).as_bytes() == slot_params(&envelope).as_bytes(),
        "an envelope changed the parameters: they are authenticated, so it does not open"
    );
    must(client.open(&fixture.method(), &read).await, "an envelope that was stored is lost");
}

/// The parameters are public: neither the wrapping key nor anything that the user knows is in them,
/// raw or encoded, nor in what is announced to the journal.
pub async fn params_do_not_contain_a_secret(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let keys = Keys::default();
    let envelope = must(client.back_up(&keys.tap(&method)).await, ENROLLS);
    let secrets = keys.and(&fixture.secrets());
    secrets.assert_absent(slot_params(&envelope).as_bytes(), "a slot's parameters");
    for (_, params) in client.journal.entries() {
        secrets.assert_absent(params.as_bytes(), "an entry of the journal");
    }
    for params in Traces::of(fixture, &client).await.held {
        secrets.assert_absent(params, "what the method says it holds");
    }
}

/// Malformed parameters are [`ErrorKind::InvalidParams`], to unlock and to revoke: never a panic,
/// nor an error on which an app would ask the user for another secret or try again later.
pub async fn malformed_params_are_one_error(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    for (what, params) in malformed(fixture, &client).await {
        let [unlock, revoke] = use_both(&method, &client, &params).await;
        let kinds = [ErrorKind::InvalidParams];
        must_fail(unlock, &kinds, &format!("unlock takes malformed parameters ({what})"));
        must_fail(revoke, &kinds, &format!("revoke takes malformed parameters ({what})"));
    }
}

/// Malformed parameters are found before the user is asked anything and before the back end is.
///
/// Otherwise a hostile server makes users type their secrets for nothing, and an outage hides that
/// another copy of the backup is needed.
pub async fn malformed_params_are_found_first(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let samples = malformed(fixture, &client).await;
    let asked = fixture.prompts();
    client.progress.take();
    for (what, params) in &samples {
        let _ = use_both(&method, &client, params).await;
        assert_eq!(fixture.prompts(), asked, "the user is asked about malformed params ({what})");
        assert!(
            !client.progress.take().contains(&Progress::WaitingForUser),
            "the user is waited for because of malformed parameters ({what})"
        );
    }
    let Some(away) = fixture.with_back_end_away() else { return };
    for (what, params) in &samples {
        for result in use_both(&away, &client, params).await {
            let meaning = format!("an outage hides that parameters are malformed ({what})");
            must_fail(result, &[ErrorKind::InvalidParams], &meaning);
        }
    }
}

/// Malformed parameters, given to unlock and to revoke, neither destroy nor leave anything.
pub async fn malformed_params_harm_nothing(fixture: &impl Fixture) {
    let (method, client) = (fixture.method(), Client::new());
    let made = must(method.enroll(&client.op(Purpose::Enroll)).await, ENROLLS);
    let samples = malformed(fixture, &client).await;
    let before = Traces::of(fixture, &client).await;
    for (_, params) in &samples {
        let _ = use_both(&method, &client, params).await;
    }
    let after = Traces::of(fixture, &client).await;
    after.assert_still(&before, "malformed parameters changed what the method keeps");
    assert_unlocks(&method, &client, &made, "after malformed parameters").await;
}

async fn use_both(
    method: &dyn BackupMethod,
    client: &Client,
    params: &MethodParams,
) -> [Result<(), Error>; 2] {
    let unlock = method.unlock(&client.op(Purpose::Unlock), params).await.map(drop);
    let revoke = method.revoke(&client.op(Purpose::Revoke), params).await;
    [unlock, revoke]
}

/// Malformed parameters, with what is wrong with them.
pub(super) async fn malformed(
    fixture: &impl Fixture,
    client: &Client,
) -> Vec<(String, MethodParams)> {
    let good = must(fixture.method().enroll(&client.op(Purpose::Enroll)).await, ENROLLS).params;
    let good = good.as_bytes();
    let mut samples = vec![
        ("empty", Vec::new()),
        ("a zero byte", vec![0]),
        ("an empty object", b"{}".to_vec()),
        ("an empty list", b"[]".to_vec()),
        ("null", b"null".to_vec()),
        ("no text", vec![0xff; 64]),
        ("a deep nest", vec![b'['; 8 * 1024]),
        ("as long as can be", vec![b'A'; MethodParams::MAX_LEN]),
        ("cut in half", good[..good.len() / 2].to_vec()),
        ("a byte short", good[..good.len().saturating_sub(1)].to_vec()),
        ("a byte too many", [good, &[0]].concat()),
    ];
    if let Some(fields) = good.strip_prefix(b"{") {
        samples.push(("an unknown field", [b"{\"unknown\":0,", fields].concat()));
    }
    let own = fixture.malformed_params().into_iter().enumerate();
    samples
        .into_iter()
        .map(|(what, bytes)| (what.to_owned(), MethodParams::from_bytes(bytes)))
        .filter_map(|(what, params)| Some((what, params.ok()?)))
        .chain(own.map(|(index, params)| (format!("the fixture's sample {index}"), params)))
        .collect()
}
