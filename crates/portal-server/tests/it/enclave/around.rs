//! What is around the enclave: where it listens, which pages may call it, and how often.

use std::num::NonZeroU32;

use backup_testkit::passkey::SoftwareAuthenticator;
use portal_api::{ErrorId, route::Route};
use portal_server::{EnclaveOptions, Options, Server, StartError};
use reqwest::{Client, Method, header::HeaderMap};
use serde_json::{Value, json};

use super::user::{KEY, RP, User, start, with_enclave};
use crate::common::{Service, http::Request};

#[tokio::test]
async fn a_service_without_an_enclave_says_so() {
    let service = Service::start().await;
    let user = User::of(&service).await;
    for route in Route::ALL.into_iter().filter(|route| route.is_enclaves()) {
        let request = Request::new(route.method().parse().unwrap(), route.path()).by(&user.0);
        service.send(request).await.is_error(404, ErrorId::NotFound);
    }
}

#[tokio::test]
async fn an_enclave_that_listens_by_itself_answers_there_and_nothing_else_does() {
    let own = |options: &mut Options| {
        with_enclave(options);
        options.enclave.as_mut().unwrap().listen = Some("127.0.0.1:0".parse().unwrap());
    };
    let service = Service::start_with(own).await;
    let (user, http) = (User::of(&service).await, Client::new());
    let enclave = service.running.enclave_address().unwrap();
    let ask = async |path: &str| {
        let url = format!("http://{enclave}{path}");
        Request::get(path).by(&user.0).send(&http, &url).await
    };
    let status: Value = ask(Route::PasskeyStatus.path()).await.json();
    assert_eq!(status["status"], "not registered");
    ask(Route::Health.path()).await.json::<Value>();
    ask(Route::Ready.path()).await.json::<Value>();
    ask(Route::Client.path()).await.is_error(404, ErrorId::NotFound);
    let answer = user.get(&service, Route::PasskeyStatus).await;
    answer.is_error(404, ErrorId::NotFound);
    service.running.shutdown().await;
    assert!(http.get(format!("http://{enclave}/health")).send().await.is_err());
}

async fn preflight(service: &Service, route: Route, origin: &str) -> (u16, HeaderMap) {
    let request = Request::new(Method::OPTIONS, route.path())
        .with("origin", origin)
        .with("access-control-request-method", "POST")
        .with("access-control-request-headers", "authorization,content-type,x-portal-trace-id");
    let answer = service.send(request).await;
    (answer.status.as_u16(), answer.headers)
}

#[tokio::test]
async fn only_pages_of_listed_origins_may_call_the_enclave_and_none_the_rest() {
    const PAGE: &str = "https://app.example.com";
    let listed = |options: &mut Options| {
        with_enclave(options);
        options.enclave.as_mut().unwrap().cors = vec![PAGE.to_owned()];
    };
    let service = Service::start_with(listed).await;
    let allowed = "access-control-allow-origin";
    let (status, headers) = preflight(&service, Route::BeginLogin, PAGE).await;
    assert_eq!((status, headers[allowed].to_str().unwrap()), (200, PAGE));
    assert!(headers["access-control-allow-headers"].to_str().unwrap().contains("trace-id"));
    let (_, headers) = preflight(&service, Route::BeginLogin, "https://evil.example").await;
    assert!(!headers.contains_key(allowed));
    let (status, headers) = preflight(&service, Route::FirstPost, PAGE).await;
    assert_eq!((status, headers.contains_key(allowed)), (405, false));
    let user = User::of(&service).await;
    let request = Request::get(Route::PasskeyStatus.path()).with("origin", PAGE);
    assert_eq!(service.send(request.clone()).await.headers[allowed], PAGE, "a refusal, too");
    assert_eq!(service.send(request.by(&user.0)).await.headers[allowed], PAGE);
    let (status, headers) = preflight(&start().await, Route::BeginLogin, PAGE).await;
    assert_eq!((status, headers.contains_key(allowed)), (405, false));
}

#[tokio::test]
async fn browsers_are_told_which_origins_may_use_the_passkeys() {
    let service = Service::start_with(|options| {
        let origins = ["https://example.com", "https://example.org", "android:apk-key-hash:abc"];
        options.enclave = Some(EnclaveOptions::new(RP, &origins));
    });
    let service = service.await;
    let answer = service.send(Request::get("/.well-known/webauthn")).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    let expected = json!({ "origins": ["https://example.com", "https://example.org"] });
    assert_eq!(answer.json::<Value>(), expected);
}

#[tokio::test]
async fn the_page_of_ceremonies_is_there_for_anyone_and_in_nobodys_frame() {
    let service = start().await;
    for (file, kind) in [
        ("ceremony", "text/html"),
        ("ceremony.css", "text/css"),
        ("ceremony.js", "text/javascript"),
        ("hpke.js", "text/javascript"),
    ] {
        let answer = service.send(Request::get(&format!("/passkeys/{file}"))).await;
        assert_eq!(answer.status, 200, "{file}");
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with(kind), "{file}");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        let path = format!("/passkeys/{file}");
        service.send(Request::post(&path)).await.is_error(405, ErrorId::BadRequest);
        let with_body = service.send(Request::get(&path).json("{}")).await;
        with_body.is_error(400, ErrorId::BadRequest);
    }
    let without = Service::start().await.send(Request::get("/passkeys/ceremony")).await;
    without.is_error(404, ErrorId::NotFound);
}

#[tokio::test]
async fn a_page_that_asks_too_often_may_read_when_to_ask_again() {
    const PAGE: &str = "https://app.example.com";
    let service = Service::start_with(|options| {
        with_enclave(options);
        options.enclave.as_mut().unwrap().cors = vec![PAGE.to_owned()];
        options.limits.key_rate = NonZeroU32::new(1);
    });
    let (service, status) = (service.await, Request::get(Route::PasskeyStatus.path()));
    let asked = status.by(&User::of(&service).await.0).with("origin", PAGE);
    service.send(asked.clone()).await.json::<Value>();
    let answer = service.send(asked).await;
    answer.is_error(429, ErrorId::Error);
    assert_eq!(answer.headers["access-control-allow-origin"], PAGE);
    let readable = answer.headers["access-control-expose-headers"].to_str().unwrap();
    assert!(readable.contains("retry-after"), "{readable}");
}

#[tokio::test]
async fn ceremonies_have_a_rate_of_their_own() {
    let service = Service::start_with(|options| {
        with_enclave(options);
        options.limits.ceremony_rate = NonZeroU32::new(4);
    });
    let service = service.await;
    let (user, phone) = (User::of(&service).await, SoftwareAuthenticator::new());
    user.register(&service, &phone, Some(KEY)).await;
    assert_eq!(user.key(&service, &phone).await, KEY);
    let begin = json!({ "relyingParty": RP });
    let answer = user.post(&service, Route::BeginLogin, &begin).await;
    answer.is_error(429, ErrorId::Error);
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(user.status(&service).await, "registered with credential");
    User::of(&service).await.register(&service, &SoftwareAuthenticator::new(), None).await;
}

#[tokio::test]
async fn a_service_does_not_start_with_an_enclave_that_cannot_run() {
    let cors = |origin: &str| {
        let mut enclave = EnclaveOptions::new(RP, &["https://example.com"]);
        enclave.cors = vec![origin.to_owned()];
        enclave
    };
    for enclave in [
        EnclaveOptions::new(RP, &[]),
        EnclaveOptions::new(RP, &["https://example.org"]),
        EnclaveOptions::new("https://example.com", &["https://example.com"]),
        cors("*"),
        cors("app.example.com"),
        cors("https://app.example.com/"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(folder.path());
        options.enclave = Some(enclave.clone());
        let error = Server::start(options).await.unwrap_err();
        assert!(matches!(error, StartError::Enclave(_)), "{enclave:?}: {error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
    }
}
