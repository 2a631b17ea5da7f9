//! The page in a real browser, Chromium, with an authenticator of its own: what a program gets by
//! it, and what it does not.

use std::{
    future::Future,
    io::{BufRead, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use backup_cloud::Browser;
use backup_core::{
    BackupMethod, Error, ErrorKind, Purpose, Result, async_trait, secrecy::SecretString,
};
use backup_methods_passkey::{
    Account, BrowserCeremony, CeremonyError, PasskeyEnclave, PasskeyPrf, RelyingParty,
};
use backup_testkit::Client;
use serde_json::{Value, json};

use crate::{
    node,
    service::Service,
    support::{ORIGIN, RP},
};

#[test]
fn the_page_encrypts_as_the_rfc_says() {
    let status = node::node("hpke_vectors.cjs").status().expect("Node runs");
    assert!(status.success());
}

/// A user with a browser; `passkey_user.cjs` does what they do.
#[derive(Debug)]
struct User {
    process: Mutex<Process>,
    act: Mutex<&'static str>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    says: BufReader<ChildStdout>,
    hears: ChildStdin,
}

impl User {
    fn of(service: &Service) -> Arc<Self> {
        let mut command = node::node("passkey_user.cjs");
        command.args([ORIGIN, &format!("http://{}", service.address)]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Node runs");
        let says = BufReader::new(child.stdout.take().unwrap());
        let hears = child.stdin.take().unwrap();
        let process = Mutex::new(Process { child, says, hears });
        Arc::new(Self { process, act: Mutex::new("agrees") })
    }

    fn will(&self, act: &'static str) {
        *self.act.lock().unwrap() = act;
    }

    /// Does something on a page; what the browser shows then.
    fn does(&self, act: &str, url: &str) -> String {
        let Process { says, hears, .. } = &mut *self.process.lock().unwrap();
        let screenshot = std::env::var("PASSKEY_SCREENSHOTS").ok();
        let line = json!({ "act": act, "url": url, "screenshot": screenshot });
        writeln!(hears, "{line}").unwrap();
        let mut answer = String::new();
        says.read_line(&mut answer).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["shows"].as_str().unwrap_or_else(|| panic!("{act}: {answer}")).to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Opens the page; the program waits for the answer meanwhile.
#[derive(Debug)]
struct Chromium(Arc<User>);

#[async_trait]
impl Browser for Chromium {
    async fn open(&self, url: &str) -> Result<()> {
        let (user, url) = (Arc::clone(&self.0), url.to_owned());
        tokio::task::spawn_blocking(move || {
            let act = *user.act.lock().unwrap();
            user.does(act, &url)
        });
        Ok(())
    }
}

fn ceremony(user: &Arc<User>) -> BrowserCeremony {
    BrowserCeremony::new(ORIGIN, Arc::new(Chromium(Arc::clone(user)))).unwrap()
}

fn acme() -> RelyingParty {
    RelyingParty::new(RP, "Acme").unwrap()
}

fn enclave(service: &Service, user: &Arc<User>) -> PasskeyEnclave {
    let (address, key) = (format!("http://{}", service.address), SecretString::from("alice-key"));
    PasskeyEnclave::new(ceremony(user), acme(), &address, key).unwrap()
}

fn run<T>(story: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(story)
}

#[test]
fn a_backup_with_the_enclave_is_made_and_opened_in_the_browser() {
    let (service, client) = (Service::start(), Client::new());
    let user = User::of(&service);
    run(async {
        let envelope = client.back_up(&enclave(&service, &user)).await.unwrap();
        client.on_a_new_device().open(&enclave(&service, &user), &envelope).await.unwrap();
        let held = enclave(&service, &user).held(&client.op(Purpose::Unlock)).await.unwrap();
        let method = enclave(&service, &user);
        method.revoke(&client.op(Purpose::Revoke), &held[0].params).await.unwrap();
    });
    assert!(service.world.store.tables().sealed.is_empty());
    assert!(service.world.store.audit().iter().all(|record| record.refused.is_none()));
}

#[test]
fn a_backup_with_the_prf_is_made_and_opened_in_the_browser() {
    let (service, client) = (Service::start(), Client::new());
    let user = User::of(&service);
    let method = || PasskeyPrf::new(ceremony(&user), acme(), Account::new("alice", "Alice"));
    run(async {
        let envelope = client.back_up(&method()).await.unwrap();
        client.on_a_new_device().open(&method(), &envelope).await.unwrap();
    });
    assert!(service.world.store.audit().is_empty(), "the service has no part in it");
}

#[test]
fn a_user_who_cancels_or_is_not_recognised_changes_nothing() {
    let (service, client) = (Service::start(), Client::new());
    let user = User::of(&service);
    run(async {
        for act in ["cancels", "is not recognised, and cancels"] {
            user.will(act);
            let error = client.back_up(&enclave(&service, &user)).await.unwrap_err();
            assert_eq!(cause(&error), &CeremonyError::Cancelled, "{act}");
        }
        let tables = service.world.store.tables();
        assert!(tables.sealed.is_empty() && tables.passkeys.is_empty());
    });
}

#[test]
fn a_window_that_is_closed_or_left_alone_is_a_time_that_runs_out() {
    let (service, client) = (Service::start(), Client::new());
    let user = User::of(&service);
    run(async {
        for act in ["closes", "looks away"] {
            user.will(act);
            let ceremony = ceremony(&user).with_time_limit(Duration::from_secs(3));
            let method = PasskeyPrf::new(ceremony, acme(), Account::new("alice", "Alice"));
            let error = client.back_up(&method).await.unwrap_err();
            assert_eq!(cause(&error), &CeremonyError::TimedOut, "{act}");
            assert_eq!(error.kind(), ErrorKind::Unavailable);
        }
    });
}

#[test]
fn a_page_that_no_program_opened_asks_for_nothing() {
    let service = Service::start();
    let user = User::of(&service);
    let key = "A".repeat(43);
    let good = format!("kind=get&port=9&state={key}&recipient={key}&options=%7B%7D");
    for fragment in [
        String::new(),
        good.replace("kind=get", "kind=store"),
        good.replace("port=9", "port=9%40evil.example"),
        good.replace("port=9", "port="),
        good.replace(&format!("state={key}"), "state=short"),
        good.replace(&format!("recipient={key}"), "recipient=AAAA"),
        good.replace("options=%7B%7D", "options=%7B"),
    ] {
        let shows = user.does("reads", &format!("{ORIGIN}/passkeys/ceremony#{fragment}"));
        assert!(shows.contains("Start there again"), "{fragment}: {shows}");
    }
}

#[test]
fn a_page_of_another_domain_says_that_the_setup_is_wrong() {
    let (service, client) = (Service::start(), Client::new());
    let user = User::of(&service);
    let party = RelyingParty::new("example.org", "Acme").unwrap();
    let method = PasskeyPrf::new(ceremony(&user), party, Account::new("alice", "Alice"));
    let error = run(client.back_up(&method)).unwrap_err();
    assert!(error.to_string().contains("set up wrongly"), "{error}");
}

fn cause(error: &Error) -> &CeremonyError {
    error.cause().unwrap_or_else(|| panic!("{error:?}"))
}
