//! What every route asks of a request, and how it refuses one.

use std::time::Duration;

use backup_core::BackupId;
use portal_api::{ClientView, CreatedClient, ErrorId, content_digest, route};
use portal_server::effects::Effect;
use reqwest::Method;

use crate::common::{
    Service,
    http::{Answer, Request},
};

const BACKUP: &str = "b1";

fn backup() -> BackupId {
    BackupId::new(BACKUP).unwrap()
}

/// The routes that a device signs.
fn signed_routes() -> [(Method, String); 4] {
    [
        (Method::PUT, route::envelope(&backup())),
        (Method::POST, route::commit(&backup())),
        (Method::POST, route::drop_pending(&backup())),
        (Method::POST, route::REVOCATIONS.to_owned()),
    ]
}

/// All routes that ask for a client's key.
fn client_routes() -> Vec<(Method, String)> {
    let read = [(Method::GET, route::CLIENT.to_owned()), (Method::GET, route::envelope(&backup()))];
    read.into_iter().chain(signed_routes()).collect()
}

#[tokio::test]
async fn anybody_may_ask_whether_the_service_is_up() {
    let service = Service::start().await;
    let answer = service.send(Request::get(route::HEALTH)).await;
    assert_eq!(answer.text(), r#"{"status":"ok"}"#);
    assert_eq!(answer.headers["x-portal-trace-id"].len(), 36);
}

#[tokio::test]
async fn a_custodian_makes_clients_that_differ() {
    let service = Service::start().await;
    let key = service.custodian_key();
    let create = Request::post(route::CUSTODIAN_CLIENTS).by(&key);
    let body = r#"{"isAccountAbstracted":true}"#;
    let first: CreatedClient = service.send(create.clone().json(body)).await.json();
    let second: CreatedClient = service.send(create).await.json();
    assert!(first.is_account_abstracted && !second.is_account_abstracted);
    assert_ne!(first.id, second.id);
    assert_ne!(*first.client_api_key, *second.client_api_key);
    let request = Request::get(route::CLIENT).by(&first.client_api_key);
    let view: ClientView = service.send(request).await.json();
    assert_eq!(view.id.as_str(), first.id);
    assert_eq!(view.custodian_id, first.custodian_id);
    assert!(view.signing.is_none() && view.backups.is_empty());
}

#[tokio::test]
async fn without_its_key_no_route_answers() {
    let service = Service::start().await;
    let client = service.create_client().await;
    let other_key = service.custodian_key();
    let damaged = crate::common::damaged(&client.client_api_key);
    for (method, path) in client_routes() {
        let request = Request::new(method, &path);
        let wrong = [other_key.as_str(), &damaged, "ck_", "", "ck_?"];
        for key in wrong {
            let answer = service.send(request.clone().by(key)).await;
            answer.is_error(401, ErrorId::AuthFailed);
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
        service.send(request.clone()).await.is_error(401, ErrorId::AuthFailed);
        let basic = format!("Basic {}", *client.client_api_key);
        let answer = service.send(request.with("authorization", basic)).await;
        answer.is_error(401, ErrorId::AuthFailed);
    }
    let create = Request::post(route::CUSTODIAN_CLIENTS);
    service.send(create.clone()).await.is_error(401, ErrorId::AuthFailed);
    let answer = service.send(create.by(&client.client_api_key)).await;
    answer.is_error(401, ErrorId::AuthFailed);
}

#[tokio::test]
async fn what_is_no_route_or_no_method_of_it_is_refused_in_the_same_shape() {
    let service = Service::start().await;
    for path in ["/", "/v1", "/v1/nothing", "/v1/backups/b1"] {
        let answer = service.send(Request::get(path)).await;
        answer.is_error(404, ErrorId::NotFound);
    }
    for (method, path) in client_routes() {
        let wrong = if method == Method::PATCH { Method::GET } else { Method::PATCH };
        let answer = service.send(Request::new(wrong, &path)).await;
        answer.is_error(405, ErrorId::BadRequest);
    }
}

#[tokio::test]
async fn a_signed_request_has_a_digest_and_a_signature() {
    let service = Service::start().await;
    let device = service.device().await;
    for (method, path) in signed_routes() {
        let request = device.signed(Request::new(method, &path).json("{}"));
        let wrong = [
            request.clone().without("content-digest"),
            request.clone().with("content-digest", "sha-256=:AAAA:"),
            request.clone().with("content-digest", "md5=:AAAA:"),
            request.clone().without("x-portal-device-signature"),
            request.clone().with("x-portal-device-signature", "AAAA"),
        ];
        for request in wrong {
            service.send(request).await.is_error(400, ErrorId::BadRequest);
        }
    }
}

#[tokio::test]
async fn a_body_that_was_damaged_on_the_way_is_to_be_sent_again() {
    let service = Service::start().await;
    let device = service.device().await;
    for (method, path) in signed_routes() {
        let mut request = device.signed(Request::new(method, &path).json("{}"));
        request.body = b"{]".to_vec();
        service.send(request).await.is_error(400, ErrorId::MessageMalformed);
    }
}

/// A signed request that is whole, but for what its signature is about.
async fn refused(service: &Service, request: Request<'_>) -> Answer {
    let answer = service.send(request).await;
    answer.is_error(409, ErrorId::SignShareMismatch);
    answer
}

#[tokio::test]
async fn only_the_live_sets_device_signs() {
    let service = Service::start().await;
    let (device, other) = (service.device().await, service.device().await);
    let sealer = device.enroll(backup_core::MethodId::PASSWORD).await;
    let begun = device.begin(service.running.service(), &sealer).await;
    let path = route::envelope(&begun.id);
    let put = Request::new(Method::PUT, &path).body("text/plain", begun.envelope.as_str());
    let signed = device.signed(put.clone());
    let by_other = other.signed(put.clone()).by(&device.api_key);
    refused(&service, by_other).await;
    let changed = format!("{} ", begun.envelope.as_str());
    let mut of_other_body =
        signed.clone().with("content-digest", content_digest(changed.as_bytes()));
    of_other_body.body = changed.into_bytes();
    service.send(of_other_body).await.is_error(400, ErrorId::BadRequest);
    let replaced = device.on_another(service.running.service()).await;
    refused(&service, signed).await;
    service.send(replaced.signed(put)).await.is_done();
}

#[tokio::test]
async fn a_signature_is_good_for_its_own_path_and_body_only() {
    let service = Service::start().await;
    let device = service.device().await;
    let (one, two) = (BackupId::new("one").unwrap(), BackupId::new("two").unwrap());
    let (one, two) = (route::drop_pending(&one), route::drop_pending(&two));
    let signed = device.signed(Request::post(&one).json("{}"));
    service.send(signed.clone()).await.is_done();
    refused(&service, Request { path: &two, ..signed.clone() }).await;
    let body = b"{} ";
    let mut changed = signed.with("content-digest", content_digest(body));
    changed.body = body.to_vec();
    refused(&service, changed).await;
}

#[tokio::test]
async fn a_client_without_a_live_set_signs_nothing() {
    let service = Service::start().await;
    let device = service.device().await;
    let fresh = service.create_client().await;
    let path = route::REVOCATIONS;
    let signed = device.signed(Request::post(path).json(r#"{"backups":[]}"#));
    refused(&service, signed.by(&fresh.client_api_key)).await;
}

#[tokio::test]
async fn a_path_is_signed_as_it_is_sent() {
    let service = Service::start().await;
    let device = service.device().await;
    let path = route::drop_pending(&BackupId::new("a/../b?c#%").unwrap());
    device.post(&service, &path, "{}").await.is_done();
}

#[tokio::test]
async fn json_that_is_none_is_refused_and_not_quoted() {
    let service = Service::start().await;
    let device = service.device().await;
    let key = service.custodian_key();
    let bodies = ["{", "[1]", "null", "\"secret\"", r#"{"secret":1}"#, "\u{0}", ""];
    for (method, path) in signed_routes().into_iter().skip(1) {
        for body in bodies {
            let request = device.signed(Request::new(method.clone(), &path).json(body));
            let answer = service.send(request).await;
            answer.is_error(400, ErrorId::BadRequest);
            assert!(!answer.text().contains("secret"), "{}", answer.text());
        }
    }
    for body in ["{", "[1]", r#"{"isAccountAbstracted":"secret"}"#] {
        let answer =
            service.send(Request::post(route::CUSTODIAN_CLIENTS).by(&key).json(body)).await;
        answer.is_error(400, ErrorId::BadRequest);
        assert!(!answer.text().contains("secret"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_body_of_another_media_type_is_refused() {
    let service = Service::start().await;
    let device = service.device().await;
    let key = service.custodian_key();
    for (method, path) in signed_routes() {
        let request = Request::new(method, &path).body("application/xml", "{}");
        for request in [request.clone(), request.without("content-type")] {
            let answer = service.send(device.signed(request)).await;
            answer.is_error(415, ErrorId::BadRequest);
        }
    }
    let create = Request::post(route::CUSTODIAN_CLIENTS).by(&key).body("text/plain", "{}");
    service.send(create).await.is_error(415, ErrorId::BadRequest);
}

#[tokio::test]
async fn a_body_longer_than_any_that_belongs_there_is_refused() {
    let service = Service::start().await;
    let device = service.device().await;
    let key = service.custodian_key();
    let long = " ".repeat(64 * 1024 + 1);
    for (method, path) in signed_routes() {
        let request = device.signed(Request::new(method, &path).json(&long));
        service.send(request).await.is_error(413, ErrorId::BadRequest);
    }
    let create = Request::post(route::CUSTODIAN_CLIENTS).by(&key).json(&long);
    service.send(create).await.is_error(413, ErrorId::BadRequest);
}

#[tokio::test]
async fn what_is_no_id_is_refused() {
    let service = Service::start().await;
    let device = service.device().await;
    let long = "x".repeat(129);
    for id in ["%20", "%00", "%FF", "%C3%A9", &long] {
        let path = format!("/v1/backups/{id}/drop");
        device.post(&service, &path, "{}").await.is_error(400, ErrorId::BadRequest);
        let path = format!("/v1/backups/{id}/envelope");
        device.get(&service, &path).await.is_error(400, ErrorId::BadRequest);
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    let service = Service::start_with(|options| {
        options.limits.body_time = Duration::from_millis(50);
    })
    .await;
    let key = service.custodian_key();
    let mut stream = TcpStream::connect(service.running.address()).await.unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-length: 9\r\n\r\n{{",
        route::CUSTODIAN_CLIENTS
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 1024];
    let len = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..len]);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("WS_MSG_MALFORMED"), "{answer}");
}

#[tokio::test]
async fn too_many_requests_at_once_are_sent_away() {
    let service = Service::start_with(|options| options.limits.requests = 0).await;
    let answer = service.send(Request::get(route::HEALTH)).await;
    answer.is_error(503, ErrorId::Error);
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_not_waited_for_and_its_work_is_done() {
    let service = Service::start_with(|options| {
        options.limits.answer_time = Duration::from_millis(200);
    })
    .await;
    let device = service.device().await;
    let sealer = device.enroll(backup_core::MethodId::PASSWORD).await;
    let begun = device.begin(service.running.service(), &sealer).await;
    let others = service.running.service().store.write().await.unwrap();
    device.store(&service, &begun).await.is_error(503, ErrorId::Error);
    drop(others);
    let stored = async || device.get(&service, &route::envelope(&begun.id)).await.status;
    while !stored().await.is_success() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_was_begun_is_done_though_the_caller_hangs_up() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = device.enroll(backup_core::MethodId::PASSWORD).await;
    let begun = device.begin(service.running.service(), &sealer).await;
    let others = service.running.service().store.write().await.unwrap();
    let patience = Duration::from_millis(200);
    tokio::time::timeout(patience, device.store(&service, &begun)).await.unwrap_err();
    drop(others);
    let stored = async || device.get(&service, &route::envelope(&begun.id)).await.status;
    while !stored().await.is_success() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_handler_that_panics_is_an_internal_error_that_says_nothing() {
    use std::sync::{Arc, atomic};

    let armed = Arc::new(atomic::AtomicBool::new(false));
    let arm = Arc::clone(&armed);
    let service = Service::start_with(|options| {
        options.observer = Arc::new(move |effect| {
            let is_armed = arm.load(atomic::Ordering::SeqCst);
            assert!(!(is_armed && effect == Effect::Commit), "secret reason");
        });
    })
    .await;
    let key = service.custodian_key();
    let create = Request::post(route::CUSTODIAN_CLIENTS).by(&key).json("{}");
    armed.store(true, atomic::Ordering::SeqCst);
    let answer = service.send(create.clone()).await;
    answer.is_error(500, ErrorId::InternalError);
    assert!(!answer.text().contains("secret"), "{}", answer.text());
    armed.store(false, atomic::Ordering::SeqCst);
    service.send(create).await.json::<CreatedClient>();
}

#[tokio::test]
async fn an_answer_leaves_after_its_commit() {
    use std::sync::{Arc, Mutex};

    let effects = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&effects);
    let service = Service::start_with(|options| {
        options.observer = Arc::new(move |effect| noted.lock().unwrap().push(effect));
    })
    .await;
    effects.lock().unwrap().clear();
    service.create_client().await;
    let expected = [Effect::Commit, Effect::Committed, Effect::Reply { status: 200 }];
    assert_eq!(*effects.lock().unwrap(), expected);
}
