//! Keys are written and read, and survive whatever the service survives.

use backup_testkit::passkey::SoftwareAuthenticator;
use futures_util::future::join_all;
use portal_api::route::Route;
use serde_json::{Value, json};

use super::user::{KEY, OTHER_KEY, User, start, with_enclave};

#[tokio::test]
async fn portals_sequence_of_a_registration_and_a_later_key_works() {
    let service = start().await;
    let (user, phone) = (User::of(&service).await, SoftwareAuthenticator::new());
    assert_eq!(user.status(&service).await, "not registered");
    user.register(&service, &phone, None).await;
    assert_eq!(user.status(&service).await, "registered");
    user.write(&service, &phone, KEY).await.json::<Value>();
    assert_eq!(user.status(&service).await, "registered with credential");
    let read = user.read(&service, &phone).await;
    assert_eq!(read.headers["cache-control"], "no-store");
    assert_eq!(read.headers["x-portal-trace-id"].len(), 36);
    assert_eq!(read.json::<Value>()["encryptionKey"], KEY);
}

#[tokio::test]
async fn a_session_token_does_what_the_api_key_does() {
    let service = start().await;
    let (created, phone) = (service.create_client().await, SoftwareAuthenticator::new());
    let by_key = User(created.client_api_key.to_string());
    let by_token = User(created.client_session_token.to_string());
    by_key.register(&service, &phone, Some(KEY)).await;
    assert_eq!(by_token.key(&service, &phone).await, KEY);
}

#[tokio::test]
async fn a_second_passkey_has_a_key_when_it_was_granted_and_not_before() {
    let service = start().await;
    let user = User::of(&service).await;
    let (phone, laptop) = (SoftwareAuthenticator::new(), SoftwareAuthenticator::new());
    let lost = user.register(&service, &phone, Some(KEY)).await;
    let other = user.register(&service, &laptop, None).await;
    user.read(&service, &laptop).await.is_error(404, portal_api::ErrorId::NotFound);
    let confirm = async |device, purpose, passkey, route| {
        let begin = json!({ "purpose": purpose, "passkeyId": passkey });
        let begun = user.begin_with(&service, begin).await;
        user.end(&service, route, (&begun, begun.assert(device)), json!({})).await.is_done();
    };
    confirm(&phone, "grant", &other, Route::GrantKeys).await;
    assert_eq!(user.key(&service, &laptop).await, KEY);
    confirm(&laptop, "remove", &lost, Route::RemovePasskey).await;
    assert_eq!(user.key(&service, &laptop).await, KEY);
    let passkeys: Value = user.get(&service, Route::Passkeys).await.json();
    assert_eq!(passkeys["passkeys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_that_was_deleted_is_in_no_file_of_the_service() {
    let service = start().await;
    let (user, phone) = (User::of(&service).await, SoftwareAuthenticator::new());
    user.register(&service, &phone, Some(KEY)).await;
    let sealed = sealed_keys(&service).await;
    assert_eq!(sealed.len(), 1);
    let keys: Value = user.get(&service, Route::PasskeyKeys).await.json();
    let begin = json!({ "purpose": "delete", "keyId": keys["keys"][0]["id"] });
    let begun = user.begin_with(&service, begin).await;
    let deleted = (&begun, begun.assert(&phone));
    user.end(&service, Route::DeleteKey, deleted, json!({})).await.is_done();
    assert!(sealed_keys(&service).await.is_empty());
    for file in std::fs::read_dir(service.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let tail = &sealed[0][sealed[0].len() - 32..];
        assert!(!bytes.windows(32).any(|window| window == tail), "it is still there");
    }
}

async fn sealed_keys(service: &crate::common::Service) -> Vec<Vec<u8>> {
    let mut view = service.running.service().store.read().await.unwrap();
    let rows = view.sealed(portal_server::store::Place::EnclaveKeys, "", 10).await.unwrap();
    rows.into_iter().map(|row| row.sealed).collect()
}

#[tokio::test]
async fn a_ceremony_and_a_key_outlive_the_process() {
    let service = start().await;
    let (user, phone) = (User::of(&service).await, SoftwareAuthenticator::new());
    user.register(&service, &phone, Some(KEY)).await;
    let begun = user.begin(&service).await;
    let service = service.restart_with(with_enclave).await;
    let ended = (&begun, begun.assert(&phone));
    let read: Value = user.end(&service, Route::ReadKey, ended, json!({})).await.json();
    assert_eq!(read["encryptionKey"], KEY);
}

#[tokio::test]
async fn requests_of_one_client_at_once_are_decided_one_after_the_other() {
    let service = start().await;
    let (user, phone) = (User::of(&service).await, SoftwareAuthenticator::new());
    user.register(&service, &phone, None).await;
    let mut ceremonies = Vec::new();
    for _ in 0..6 {
        ceremonies.push(user.begin(&service).await);
    }
    let writes = ceremonies.iter().enumerate().map(|(number, begun)| {
        let named = json!({ "keyId": format!("key-{number}"), "encryptionKey": OTHER_KEY });
        user.end(&service, Route::WriteKey, (begun, begun.assert(&phone)), named)
    });
    for answer in join_all(writes).await {
        answer.json::<Value>();
    }
    let keys: Value = user.get(&service, Route::PasskeyKeys).await.json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 6);
    let begun = user.begin(&service).await;
    let named = || json!({ "keyId": "key-0" });
    let read = || user.end(&service, Route::ReadKey, (&begun, begun.assert(&phone)), named());
    let answers = join_all([read(), read(), read()]).await;
    let released = answers.iter().filter(|answer| answer.status.is_success()).count();
    assert_eq!(released, 1, "a ceremony is good for one answer: {answers:?}");
}
