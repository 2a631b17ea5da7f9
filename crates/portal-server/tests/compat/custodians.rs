//! What a custodian asks for: its clients, and their session tokens.

use portal_api::{ClientSession, ErrorId, route};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    common::{DAY, Service, damaged, http::Request},
    said::say,
};

const HOUR: u64 = 60 * 60;

async fn token(service: &Service, client: &str) -> String {
    let path = route::client_sessions(client);
    let request = Request::post(&path).by(&service.custodian_key());
    let session: ClientSession = service.send(request).await.json();
    assert_eq!(session.id, client);
    session.client_session_token.to_string()
}

async fn is_good(service: &Service, token: &str) -> bool {
    let answer = service.send(Request::get(route::ME).by(token)).await;
    if !answer.status.is_success() {
        answer.is_error(401, ErrorId::AuthFailed);
    }
    answer.status.is_success()
}

#[tokio::test]
async fn a_custodian_sees_its_clients_as_they_see_themselves() {
    let service = Service::start().await;
    let (device, other) = (service.device().await, service.device().await);
    let key = service.custodian_key();
    let all: Value = service.send(Request::get(route::CUSTODIAN_CLIENTS).by(&key)).await.json();
    assert_eq!(all["results"].as_array().unwrap().len(), 2);
    for device in [&device, &other] {
        let path = route::client_of_custodian(device.context.client.as_str());
        let seen: Value = service.send(Request::get(&path).by(&key)).await.json();
        let own: Value = device.get(&service, route::ME).await.json();
        assert_eq!(seen, own);
        assert!(all["results"].as_array().unwrap().contains(&own));
        device.get(&service, &path).await.is_error(401, ErrorId::AuthFailed);
    }
    let path = route::client_of_custodian("nobody");
    let answer = service.send(Request::get(&path).by(&key)).await;
    answer.is_error(404, ErrorId::NotFound);
}

#[tokio::test]
async fn a_session_token_does_what_the_api_key_does() {
    let service = Service::start().await;
    let device = service.device().await;
    let session = token(&service, device.context.client.as_str()).await;
    for path in [route::ME, route::CLIENT] {
        let by_token: Value = service.send(Request::get(path).by(&session)).await.json();
        let by_key: Value = device.get(&service, path).await.json();
        assert_eq!(by_token, by_key);
    }
    let body = json!({ "traits": {} });
    let answer = say(&service, &session, Method::POST, route::IDENTIFY, &body).await;
    assert!(answer.status.is_success());
    let signed = device.signed(Request::post(route::REVOCATIONS).json(r#"{"backups":[]}"#));
    service.send(signed.by(&session)).await.is_done();
    assert!(!is_good(&service, &damaged(&session)).await);
    let request = Request::get(route::CUSTODIAN_CLIENTS).by(&session);
    service.send(request).await.is_error(401, ErrorId::AuthFailed);
}

#[tokio::test]
async fn a_session_token_is_made_by_the_older_path_too() {
    let service = Service::start().await;
    let client = service.create_client().await;
    let path = route::client_session_v1(&client.id);
    let request = Request::post(&path).by(&service.custodian_key());
    let session: ClientSession = service.send(request).await.json();
    assert!(is_good(&service, &session.client_session_token).await);
}

#[tokio::test]
async fn a_new_client_has_a_session_token() {
    let service = Service::start().await;
    let client = service.create_client().await;
    assert!(client.client_session_token.starts_with("cs_"));
    assert!(is_good(&service, &client.client_session_token).await);
}

#[tokio::test]
async fn a_session_token_lives_for_a_day_after_its_last_use_and_for_a_week_at_most() {
    let service = Service::start().await;
    let client = service.create_client().await;
    let (used, idle) = (token(&service, &client.id).await, token(&service, &client.id).await);
    for _ in 0..6 {
        service.wait(DAY - HOUR).await;
        assert!(is_good(&service, &used).await);
    }
    assert!(!is_good(&service, &idle).await);
    service.wait(DAY - HOUR).await;
    assert!(is_good(&service, &used).await);
    service.wait(7 * HOUR).await;
    assert!(!is_good(&service, &used).await);
    assert!(is_good(&service, &client.client_api_key).await);
}

#[tokio::test]
async fn a_token_that_is_over_is_refused_before_it_is_cleared_away() {
    use std::sync::atomic::Ordering;

    let service = Service::start().await;
    let client = service.create_client().await;
    let session = token(&service, &client.id).await;
    service.hands.0.fetch_add(DAY, Ordering::SeqCst);
    assert!(!is_good(&service, &session).await);
}

#[tokio::test]
async fn a_custodian_ends_the_session_tokens_of_one_client() {
    let service = Service::start().await;
    let (client, other) = (service.create_client().await, service.create_client().await);
    let session = token(&service, &client.id).await;
    let (key, path) = (service.custodian_key(), route::client_sessions(&client.id));
    for _ in 0..2 {
        service.send(Request::new(Method::DELETE, &path).by(&key)).await.is_done();
        assert!(!is_good(&service, &session).await);
        assert!(!is_good(&service, &client.client_session_token).await);
    }
    assert!(is_good(&service, &client.client_api_key).await);
    assert!(is_good(&service, &other.client_session_token).await);
    let path = route::client_sessions("nobody");
    for method in [Method::POST, Method::DELETE] {
        let answer = service.send(Request::new(method, &path).by(&key)).await;
        answer.is_error(404, ErrorId::NotFound);
    }
}

#[tokio::test]
async fn no_token_is_stored_as_it_is() {
    let service = Service::start().await;
    let client = service.create_client().await;
    let session = token(&service, &client.id).await;
    for entry in std::fs::read_dir(service.folder.path()).unwrap() {
        let file = std::fs::read(entry.unwrap().path()).unwrap();
        let is_there = |text: &str| file.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(!is_there(&session[3..]) && !is_there(&client.client_session_token[3..]));
    }
}
