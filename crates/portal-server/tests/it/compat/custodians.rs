//! What a custodian asks for: its clients, and their session tokens.

use backup_core::{ClientId, CustodianId, EncryptionContext};
use portal_api::{ClientSession, ErrorId, route};
use portal_server::{
    admin::{Admin, AdminError},
    api_key::{ApiKey, ApiKeyHash, Audience},
    store::{KeyOwner, NewKey},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::said::say;
use crate::common::{DAY, Service, damaged, http::Request};

const HOUR: u64 = 60 * 60;

async fn token(service: &Service, client: &str) -> String {
    let path = route::client_sessions(client);
    let request = Request::post(&path).by(&service.custodian_key());
    let session: ClientSession = service.send(request).await.json();
    assert_eq!(session.id, client);
    session.client_session_token.to_string()
}

async fn token_by(service: &Service, client: &str, key: &str) -> String {
    let path = route::client_sessions(client);
    let session: ClientSession = service.send(Request::post(&path).by(key)).await.json();
    session.client_session_token.to_string()
}

/// A page of the custodian's clients.
async fn page(service: &Service, query: &str) -> Value {
    let path = format!("{}{query}", route::CUSTODIAN_CLIENTS);
    service.send(Request::get(&path).by(&service.custodian_key())).await.json()
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

/// Another key of the custodian's, in force for so long.
async fn another_key(service: &Service, seconds: Option<u64>) -> ApiKey {
    let (key, now) =
        (ApiKey::generate(Audience::Custodian).unwrap(), service.running.service().now());
    let mut write = service.running.service().store.write().await.unwrap();
    let owner = KeyOwner::Custodian(write.custodians().await.unwrap().swap_remove(0));
    let row = NewKey { hash: key.hash(), now, ends_at: seconds.map(|seconds| now + seconds) };
    write.insert_api_key(&owner, row).await.unwrap();
    write.commit().await.unwrap();
    key
}

async fn revoke(service: &Service, name: &str) {
    let now = service.running.service().now();
    let mut write = service.running.service().store.write().await.unwrap();
    assert!(write.end_api_key(name, now).await.unwrap());
    write.commit().await.unwrap();
}

#[tokio::test]
async fn a_session_token_is_over_with_the_key_by_which_it_was_asked_for() {
    use std::sync::atomic::Ordering;

    let service = Service::start().await;
    let client = service.create_client().await;
    let (stolen, brief) =
        (another_key(&service, None).await, another_key(&service, Some(60)).await);
    let own = token(&service, &client.id).await;
    let thiefs = token_by(&service, &client.id, stolen.expose()).await;
    let briefs = token_by(&service, &client.id, brief.expose()).await;
    for token in [&own, &thiefs, &briefs] {
        assert!(is_good(&service, token).await);
    }
    revoke(&service, &stolen.hash().name()).await;
    assert!(!is_good(&service, &thiefs).await);
    service.hands.0.fetch_add(60, Ordering::SeqCst);
    assert!(!is_good(&service, &briefs).await);
    assert!(is_good(&service, &own).await && is_good(&service, &client.client_session_token).await);
    service.wait(1).await;
    assert!(is_good(&service, &own).await, "what is cleared away is not this");
    assert!(!is_good(&service, &thiefs).await && !is_good(&service, &briefs).await);
}

#[tokio::test]
async fn the_token_that_came_with_a_clients_key_is_over_with_that_key() {
    let service = Service::start().await;
    let (client, other) = (service.create_client().await, service.create_client().await);
    let later = token(&service, &client.id).await;
    let key = ApiKeyHash::of_presented(&client.client_api_key, Audience::Client).unwrap();
    revoke(&service, &key.name()).await;
    assert!(!is_good(&service, &client.client_api_key).await);
    assert!(!is_good(&service, &client.client_session_token).await);
    assert!(is_good(&service, &later).await, "the custodian asked for this one");
    assert!(is_good(&service, &other.client_session_token).await);
}

#[tokio::test]
async fn a_custodian_reads_its_clients_page_by_page() {
    let service = Service::start().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(Value::from(service.create_client().await.id));
        service.wait(1).await;
    }
    let ids = |page: &Value| -> Vec<Value> {
        page["results"].as_array().unwrap().iter().map(|client| client["id"].clone()).collect()
    };
    let all = page(&service, "").await;
    assert_eq!(ids(&all), made);
    assert_eq!(all["metadata"], json!({ "cursor": null, "take": 100, "total": 5 }));

    let (mut seen, mut query) = (Vec::new(), "?take=2".to_owned());
    for rest in [3, 1, 0] {
        let page = page(&service, &query).await;
        seen.extend(ids(&page));
        assert_eq!(page["metadata"]["total"], 5);
        assert_eq!(seen.len(), 5 - rest);
        let Some(cursor) = page["metadata"]["cursor"].as_str() else { break };
        assert_eq!(cursor, *seen.last().unwrap());
        query = format!("?take=2&cursor={cursor}");
    }
    assert_eq!(seen, made);
    assert_eq!(ids(&page(&service, "?take=5").await), made);
    assert_eq!(page(&service, "?take=5").await["metadata"]["cursor"], Value::Null);

    let key = service.custodian_key();
    for wrong in ["?take=0", "?take=101", "?take=x", "?take=-1", "?cursor=nobody", "?cursor=%20"] {
        let path = format!("{}{wrong}", route::CUSTODIAN_CLIENTS);
        let answer = service.send(Request::get(&path).by(&key)).await;
        answer.is_error(400, ErrorId::BadRequest);
    }
}

#[tokio::test]
async fn a_client_of_another_custodian_is_no_place_to_begin_a_page() {
    let service = Service::start().await;
    service.create_client().await;
    let store = &service.running.service().store;
    let (acme, key) = (CustodianId::new("acme").unwrap(), ApiKey::generate(Audience::Custodian));
    let theirs = EncryptionContext::new(acme.clone(), ClientId::new("theirs").unwrap());
    let mut write = store.write().await.unwrap();
    write.insert_custodian(&acme, &key.unwrap().hash(), 1).await.unwrap();
    let key = ApiKey::generate(Audience::Client).unwrap();
    write.insert_client(&theirs, &key.hash(), false, 1).await.unwrap();
    write.commit().await.unwrap();
    assert_eq!(page(&service, "").await["metadata"]["total"], 1);
    let (key, path) =
        (service.custodian_key(), format!("{}?cursor=theirs", route::CUSTODIAN_CLIENTS));
    let answer = service.send(Request::get(&path).by(&key)).await;
    answer.is_error(400, ErrorId::BadRequest);
}

#[tokio::test]
async fn a_custodian_is_called_by_its_name_once_it_has_one() {
    let service = Service::start().await;
    let device = service.device().await;
    let custodian = device.context.custodian.clone();
    let before: Value = device.get(&service, route::ME).await.json();
    assert_eq!(before["custodian"]["name"], custodian.as_str());
    let admin = Admin::open(service.folder.path()).await.unwrap();
    admin.name_custodian(&custodian, "Acme Bank").await.unwrap();
    let after: Value = device.get(&service, route::ME).await.json();
    assert_eq!(after["custodian"], json!({ "id": custodian.as_str(), "name": "Acme Bank" }));
    for wrong in ["", "a\nb", &"a".repeat(101)] {
        assert!(matches!(admin.name_custodian(&custodian, wrong).await, Err(AdminError::Name)));
    }
    let nobody = CustodianId::new("nobody").unwrap();
    let refused = admin.name_custodian(&nobody, "Nobody").await;
    assert!(matches!(refused, Err(AdminError::NoSuch(_))));
    assert_eq!(device.get(&service, route::ME).await.json::<Value>(), after);
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
