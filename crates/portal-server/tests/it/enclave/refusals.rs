//! What is refused: in Portal's shape, with no key released.

use backup_testkit::passkey::SoftwareAuthenticator;
use portal_api::{ErrorId, route::Route};
use serde_json::{Value, json};

use super::user::{Begun, KEY, ORIGIN, RP, User, start};
use crate::common::{Service, http::Request};

/// A service, a client with a key, its phone, and a ceremony that was begun.
async fn begun() -> (Service, User, SoftwareAuthenticator, Begun) {
    let service = start().await;
    let (user, phone) = (User::of(&service).await, SoftwareAuthenticator::new());
    user.register(&service, &phone, Some(KEY)).await;
    let begun = user.begin(&service).await;
    (service, user, phone, begun)
}

#[tokio::test]
async fn a_ceremony_of_another_client_is_none() {
    let (service, user, phone, begun) = begun().await;
    let thief = User::of(&service).await;
    let ended = (&begun, begun.assert(&phone));
    let answer = thief.end(&service, Route::ReadKey, ended, json!({})).await;
    answer.is_error(409, ErrorId::StateInvalid);
    let ended = (&begun, begun.assert(&phone));
    let read: Value = user.end(&service, Route::ReadKey, ended, json!({})).await.json();
    assert_eq!(read["encryptionKey"], KEY, "it was not used up");
}

#[tokio::test]
async fn a_ceremony_that_is_over_or_was_answered_is_none() {
    let (service, user, phone, begun) = begun().await;
    let read = || user.end(&service, Route::ReadKey, (&begun, begun.assert(&phone)), json!({}));
    assert!(read().await.status.is_success());
    read().await.is_error(409, ErrorId::StateInvalid);
    let late = user.begin(&service).await;
    service.wait(300).await;
    let answer = user.end(&service, Route::ReadKey, (&late, late.assert(&phone)), json!({})).await;
    answer.is_error(409, ErrorId::StateInvalid);
}

#[tokio::test]
async fn an_assertion_of_a_foreign_origin_is_refused() {
    let (service, user, phone, begun) = begun().await;
    let assertion = phone.get("https://evil.example.com", &begun.options).unwrap();
    let answer = user.end(&service, Route::ReadKey, (&begun, assertion), json!({})).await;
    answer.is_error(403, ErrorId::AuthFailed);
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn a_body_with_the_output_of_a_prf_is_refused() {
    let (service, user, phone, begun) = begun().await;
    let mut assertion: Value = serde_json::from_str(&begun.assert(&phone)).unwrap();
    assertion["clientExtensionResults"]["prf"] = json!({ "results": { "first": "AAAA" } });
    let ended = (&begun, assertion.to_string());
    let answer = user.end(&service, Route::ReadKey, ended, json!({})).await;
    answer.is_error(400, ErrorId::BadRequest);
    assert!(answer.text().contains("PRF"), "{}", answer.text());
}

#[tokio::test]
async fn who_asks_is_told_before_what_is_asked_and_bodies_have_their_bounds() {
    let service = start().await;
    let user = User::of(&service).await;
    let long = format!("{{\"relyingParty\":\"{}\"}}", "x".repeat(64 * 1024));
    let path = Route::BeginLogin.path();
    let nobody = service.send(Request::post(path).json(&long)).await;
    nobody.is_error(401, ErrorId::AuthFailed);
    assert_eq!(nobody.headers["www-authenticate"], "Bearer");
    assert_eq!(nobody.headers["cache-control"], "no-store");
    let custodian = Request::post(path).by(&service.custodian_key()).json("{}");
    service.send(custodian).await.is_error(401, ErrorId::AuthFailed);
    let too_long = user.post_text(&service, Route::BeginLogin, &long).await;
    too_long.is_error(413, ErrorId::BadRequest);
    let body = json!({ "relyingParty": RP }).to_string();
    let typed = Request::post(path).by(&user.0).body("text/plain", body);
    service.send(typed).await.is_error(415, ErrorId::BadRequest);
    let array = user.post_text(&service, Route::BeginLogin, &format!("[\"{RP}\"]")).await;
    array.is_error(400, ErrorId::BadRequest);
    let reading = Request::get(Route::Passkeys.path()).by(&user.0).json("{}");
    service.send(reading).await.is_error(400, ErrorId::BadRequest);
    user.post_text(&service, Route::Passkeys, "{}").await.is_error(405, ErrorId::BadRequest);
}

#[tokio::test]
async fn too_many_answers_that_do_not_hold_make_a_client_wait_and_no_other() {
    let (service, user, phone, begun) = begun().await;
    for _ in 0..10 {
        let assertion = phone.get("https://evil.example.com", &begun.options).unwrap();
        user.end(&service, Route::ReadKey, (&begun, assertion), json!({})).await;
    }
    let answer = user.post(&service, Route::BeginLogin, &json!({ "relyingParty": RP })).await;
    answer.is_error(429, ErrorId::Error);
    assert_eq!(answer.headers["retry-after"], "900");
    let (other, laptop) = (User::of(&service).await, SoftwareAuthenticator::new());
    other.register(&service, &laptop, Some(KEY)).await;
    assert_eq!(other.key(&service, &laptop).await, KEY);
    service.wait(900).await;
    assert_eq!(user.key(&service, &phone).await, KEY);
}

#[tokio::test]
async fn a_passkey_is_one_clients() {
    let service = start().await;
    let (one, other) = (User::of(&service).await, User::of(&service).await);
    let phone = SoftwareAuthenticator::new();
    let (own, own_session) = registration(&service, &one, &phone).await;
    let (mut copied, session) = registration(&service, &other, &phone).await;
    // Nothing signs an attestation without a statement: whoever saw it can answer with it.
    copied["id"] = own["id"].clone();
    copied["rawId"] = own["rawId"].clone();
    copied["response"]["attestationObject"] = own["response"]["attestationObject"].clone();
    let finish = async |user: &User, attestation: &Value, session: &Value| {
        let body = json!({
            "relyingParty": RP, "sessionId": session, "attestation": attestation.to_string(),
        });
        user.post(&service, Route::FinishRegistration, &body).await
    };
    assert!(finish(&one, &own, &own_session).await.status.is_success());
    finish(&other, &copied, &session).await.is_error(409, ErrorId::StateInvalid);
    assert_eq!(other.status(&service).await, "not registered");
}

/// What a new passkey answers, and the session of its ceremony.
async fn registration(
    service: &Service,
    user: &User,
    device: &SoftwareAuthenticator,
) -> (Value, Value) {
    let begin = json!({ "relyingParty": RP });
    let begun: Value = user.post(service, Route::BeginRegistration, &begin).await.json();
    let attestation = device.create(ORIGIN, &begun["options"]["publicKey"].to_string()).unwrap();
    (serde_json::from_str(&attestation).unwrap(), begun["sessionId"].clone())
}
