//! What a service says of backups, changed on the way.

use portal_api::ErrorId;
use portal_tests::middle::{Answer, Asked, Method, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub(crate) fn envelope_path(backup: &str) -> String {
    format!("/v1/backups/{backup}/envelope")
}

pub(crate) fn sha256(text: &str) -> Value {
    Value::from(base16ct::lower::encode_string(&Sha256::digest(text)))
}

pub(crate) type Change = Box<dyn Fn(&Asked, Answer) -> Answer + Send + Sync>;

/// Answers a question for this envelope with that text.
pub(crate) fn returning(backup: &str, text: &str) -> Change {
    let (path, text) = (envelope_path(backup), text.to_owned());
    Box::new(move |asked, answer| {
        if asked.is(&Method::GET, &path) {
            return Answer::new(StatusCode::OK, "text/plain", text.clone());
        }
        answer
    })
}

/// Says that there is no such envelope.
pub(crate) fn withholding(backup: &str) -> Change {
    let path = envelope_path(backup);
    Box::new(move |asked, answer| {
        let refused = asked.is(&Method::GET, &path);
        if refused { Answer::refusal(StatusCode::NOT_FOUND, ErrorId::NotFound) } else { answer }
    })
}

/// Changes what there is of the client.
pub(crate) fn claiming(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Change {
    Box::new(
        move |asked, answer| {
            if asked.is(&Method::GET, "/v1/client") { answer.edited(&edit) } else { answer }
        },
    )
}

/// Changes one of the client's backups.
pub(crate) fn claiming_of(
    backup: &str,
    edit: impl Fn(&mut Value) + Send + Sync + 'static,
) -> Change {
    let backup = backup.to_owned();
    claiming(move |view| {
        let sets = view["backups"].as_array_mut().unwrap();
        sets.iter_mut().filter(|set| set["id"] == backup.as_str()).for_each(&edit);
    })
}

pub(crate) fn both(one: Change, other: Change) -> Change {
    Box::new(move |asked, answer| other(asked, one(asked, answer)))
}

/// Returns another text for this backup, and names its hash.
pub(crate) fn naming(backup: &str, text: &str) -> Change {
    let hash = sha256(text);
    let renamed = claiming_of(backup, move |set| set["envelopeSha256"] = hash.clone());
    both(returning(backup, text), renamed)
}

/// The text with a bit of its second half changed.
pub(crate) fn damage(text: &str) -> String {
    let at = text.len() * 3 / 4;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}
