//! How a device without a browser asks whether its user has agreed, at a server that answers by a
//! script: what the real one of `sign_in.rs` does not say when it is asked politely.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use backup_core::{ErrorKind, Result, async_trait};
use backup_methods_gdrive::{
    AuthServer, CodeDisplay, DeviceCode, DriveProblem, GoogleSignIn, MemoryTokens, OAuthClient,
    Scope, TokenSource,
};

/// As Google answers, which has another name for the address.
const CODE: &str = r#"{"device_code":"d","user_code":"AB-CD","interval":0,"expires_in":60,
    "verification_url":"https://www.google.com/device"}"#;
const GRANTED: &str = r#"{"access_token":"a","expires_in":3599,"refresh_token":"r",
    "scope":"https://www.googleapis.com/auth/drive.appdata","token_type":"Bearer"}"#;

/// Answers in order: the code, and then these. Notes when it was asked.
fn server(answers: &[(u16, &'static str)]) -> (OAuthClient, Arc<Mutex<Vec<Instant>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let answers: Vec<_> = [(200, CODE)].into_iter().chain(answers.iter().copied()).collect();
    let times = asked.clone();
    thread::spawn(move || {
        for (status, body) in answers {
            let (connection, _) = listener.accept().unwrap();
            times.lock().unwrap().push(Instant::now());
            answer(connection, status, body);
        }
    });
    (OAuthClient::new("tv").at(AuthServer::new(&url, &url, &url).unwrap()), asked)
}

fn answer(mut connection: TcpStream, status: u16, body: &str) {
    let mut request = Vec::new();
    while !ends(&request) {
        let mut some = [0; 1024];
        let read = connection.read(&mut some).unwrap();
        request.extend_from_slice(&some[..read]);
    }
    let len = body.len();
    write!(
        connection,
        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n{body}"
    )
    .unwrap();
}

/// Whether all of a request with a form is there.
fn ends(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let len = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= len.unwrap().parse().unwrap()
}

/// Shows codes to nobody, and keeps nothing.
#[derive(Debug)]
struct Nothing;

#[async_trait]
impl CodeDisplay for Nothing {
    async fn show(&self, code: &DeviceCode) -> Result<()> {
        assert_eq!(code.verification_uri, "https://www.google.com/device");
        Ok(())
    }
}

async fn sign_in(client: OAuthClient) -> Result<String> {
    let source =
        GoogleSignIn::with_code(client, Arc::new(MemoryTokens::default()), Arc::new(Nothing))
            .unwrap();
    source.sign_in(Scope::AppData).await.map(|token| token.expose().to_owned())
}

#[tokio::test]
async fn a_device_that_is_told_to_slow_down_does() {
    let (client, asked) = server(&[
        (428, r#"{"error":"authorization_pending"}"#),
        (403, r#"{"error":"slow_down"}"#),
        (200, GRANTED),
    ]);
    assert_eq!(sign_in(client).await.unwrap(), "a");
    let asked = asked.lock().unwrap();
    assert!(asked[2] - asked[1] < Duration::from_secs(2));
    assert!(asked[3] - asked[2] >= Duration::from_secs(5));
}

#[tokio::test]
async fn a_code_that_nobody_typed_ends() {
    let (client, _) = server(&[(400, r#"{"error":"expired_token"}"#)]);
    assert_eq!(sign_in(client).await.unwrap_err().kind(), ErrorKind::Cancelled);
}

#[tokio::test]
async fn a_user_who_agreed_to_less_has_to_agree_again() {
    const LESS: &str = r#"{"access_token":"a","scope":"email","refresh_token":"r"}"#;
    let (client, _) = server(&[(200, LESS)]);
    let error = sign_in(client).await.unwrap_err();
    assert_eq!(DriveProblem::of(&error), Some(&DriveProblem::SignInNeeded));
}

#[tokio::test]
async fn a_word_that_is_not_the_protocols_is_not_repeated() {
    let (client, _) = server(&[(400, r#"{"error":"device_code=d&secret"}"#), (200, GRANTED)]);
    assert_eq!(sign_in(client).await.unwrap(), "a", "what is unreadable is an outage");
    let (client, _) = server(&[(400, r#"{"error":"unauthorized_client"}"#)]);
    let error = sign_in(client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
