//! An app that uses Portal's class.

use std::{io::Write, process::Stdio};

use portal_tests::node::node;
use serde::Deserialize;
use serde_json::{Value, json};

/// An app of a client.
pub(crate) struct App {
    host: String,
    api_key: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Outcome {
    Returned(Value),
    Thrown { status: u16, message: String },
}

impl App {
    /// The class speaks plain HTTP to this name only.
    pub(crate) fn new(port: u16, api_key: &str) -> Self {
        Self { host: format!("localhost:{port}"), api_key: api_key.to_owned() }
    }

    /// What these calls return, one after the other.
    pub(crate) async fn returned<const N: usize>(&self, calls: &Value) -> [Value; N] {
        let returned = self.call(calls).await.into_iter().map(|outcome| match outcome {
            Outcome::Returned(value) => value,
            Outcome::Thrown { .. } => panic!("{outcome:?}"),
        });
        returned.collect::<Vec<_>>().try_into().unwrap()
    }

    /// The HTTP status of what these calls throw, which is an error in Portal's shape.
    pub(crate) async fn thrown<const N: usize>(&self, calls: &Value) -> [u16; N] {
        let thrown = self.call(calls).await.into_iter().map(|outcome| {
            let Outcome::Thrown { status, message } = outcome else { panic!("{outcome:?}") };
            assert!(message.contains(r#"{"error":{"id":""#), "{message}");
            status
        });
        thrown.collect::<Vec<_>>().try_into().unwrap()
    }

    async fn call(&self, calls: &Value) -> Vec<Outcome> {
        let said = json!({ "host": self.host, "apiKey": self.api_key, "calls": calls });
        let answers = tokio::task::spawn_blocking(move || run(&said.to_string()));
        answers.await.unwrap()
    }
}

/// The service answers on another thread meanwhile.
fn run(said: &str) -> Vec<Outcome> {
    let mut node = node("portal_api.cjs");
    let piped = node.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("Node runs");
    child.stdin.take().unwrap().write_all(said.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}
