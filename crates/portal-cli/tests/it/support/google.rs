//! Google as the command sees it: a double of Drive, an authorization server that is not ours
//! (oidc-provider), and a user with a browser.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use backup_testkit::drive::DriveDouble;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::support::{browser::Browser, node};

pub(crate) const ALICE: &str = "alice.w@example.com";
pub(crate) const BOB: &str = "bob@example.com";
const APP: &str = "the-app";

/// Servers, and the browser of this machine, until this is dropped.
pub(crate) struct Google {
    pub(crate) drive: Arc<DriveDouble>,
    signed_in: Arc<SignedIn>,
    url: String,
    authorization: Child,
    browser: Browser,
    proxy: Runtime,
}

/// In front of the authorization server: lets Drive know the tokens that it gives out.
struct SignedIn {
    drive: Arc<DriveDouble>,
    server: String,
    account: Mutex<String>,
    /// All tokens of both kinds.
    tokens: Mutex<Vec<String>>,
}

impl Google {
    pub(crate) fn start() -> Self {
        let (authorization, server) = authorization_server();
        let drive = Arc::new(DriveDouble::start());
        let (account, tokens) = (Mutex::new(ALICE.to_owned()), Mutex::default());
        let signed_in = Arc::new(SignedIn { drive: drive.clone(), server, account, tokens });
        let (proxy, url) = serve(signed_in.clone());
        let browser = Browser::new("oauth_user.cjs");
        let google = Self { drive, signed_in, url, authorization, browser, proxy };
        google.user("agree");
        google
    }

    /// What a command needs to find them.
    pub(crate) fn environment(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("PORTAL_TEST_GOOGLE_DRIVE", self.drive.url().into()),
            ("PORTAL_TEST_GOOGLE_ACCOUNTS", self.url.as_str().into()),
            self.browser.path(),
        ]
    }

    /// What the user does with the next pages: `agree`, `decline`, or nothing with `away`.
    pub(crate) fn user(&self, does: &str) {
        self.browser.user(does);
    }

    /// The account that the user signs in with from now on.
    pub(crate) fn account(&self, account: &str) {
        account.clone_into(&mut self.signed_in.account.lock().unwrap());
    }

    /// How often the browser was opened.
    pub(crate) fn opened(&self) -> usize {
        self.browser.opened()
    }

    /// All that was given out.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.signed_in.tokens.lock().unwrap().clone()
    }

    /// The user withdraws their consent in their Google account.
    pub(crate) fn withdraw(&self) {
        for token in self.tokens() {
            self.drive.expire(&token);
            let form = format!("client_id=desktop&client_secret=not-a-secret&token={token}");
            let address = format!("{}/revoke", self.signed_in.server);
            let revoked = self.post(&address, form.into());
            assert_eq!(revoked.status(), StatusCode::OK);
        }
    }

    /// Types a code on the page for codes, as the user on another device.
    pub(crate) fn type_code(&self, address: &str, code: &str) {
        let page = node::node("oauth_user.cjs").args(["agree", address, code]).output().unwrap();
        assert!(page.status.success());
    }

    fn post(&self, address: &str, form: Bytes) -> Response {
        self.proxy.block_on(forward(address, form)).0
    }
}

impl Drop for Google {
    fn drop(&mut self) {
        let _ = self.authorization.kill();
        let _ = self.authorization.wait();
    }
}

fn authorization_server() -> (Child, String) {
    let mut command: Command = node::node("oauth_server.cjs");
    let mut process =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Node runs");
    let mut port = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
    (process, format!("http://127.0.0.1:{}", port.trim()))
}

fn serve(signed_in: Arc<SignedIn>) -> (Runtime, String) {
    let runtime = Runtime::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/authorize", get(authorize))
        .route("/device/code", post(device))
        .route("/token", post(token))
        .with_state(signed_in);
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, router).await
    });
    (runtime, url)
}

async fn authorize(State(at): State<Arc<SignedIn>>, RawQuery(query): RawQuery) -> Redirect {
    Redirect::temporary(&format!("{}/authorize?{}", at.server, query.unwrap_or_default()))
}

async fn device(State(at): State<Arc<SignedIn>>, form: Bytes) -> Response {
    forward(&format!("{}/device/code", at.server), form).await.0
}

async fn token(State(at): State<Arc<SignedIn>>, form: Bytes) -> Response {
    let (response, answer) = forward(&format!("{}/token", at.server), form).await;
    let tokens = ["access_token", "refresh_token"].map(|name| answer[name].as_str());
    at.tokens.lock().unwrap().extend(tokens.into_iter().flatten().map(str::to_owned));
    if let [Some(access), _] = tokens {
        let scopes: Vec<_> = answer["scope"].as_str().unwrap().split(' ').collect();
        at.drive.accept(access, &at.account.lock().unwrap(), APP, &scopes);
    }
    response
}

/// The server's answer, as it came and as JSON.
async fn forward(address: &str, form: Bytes) -> (Response, Value) {
    let kind = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = reqwest::Client::new().post(address).header(kind.0, kind.1).body(form);
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let body = answer.bytes().await.unwrap();
    let json = serde_json::from_slice(&body).unwrap_or_default();
    ((status, [(header::CONTENT_TYPE, "application/json")], body).into_response(), json)
}
