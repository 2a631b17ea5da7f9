//! What the service logs: enough to find a request again, and no key, body or header.

use backup_core::MethodId;
use backup_testkit::LogCapture;
use base64ct::{Base64UrlUnpadded, Encoding};
use portal_api::{ErrorId, route};

use crate::common::{Service, http::Request};

#[tokio::test]
async fn a_log_line_is_found_by_its_trace_id_and_holds_no_secret() {
    let logs = LogCapture::start();
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = device.enroll(MethodId::PASSWORD).await;
    let id = device.back_up(&service, &sealer, None, true).await;
    let path = format!("{}?secret-query", route::envelope(&id));
    let answer = service.send(Request::get(&path).by(&device.api_key)).await;
    let wrong = crate::common::damaged(&device.api_key);
    let refused = service.send(Request::get(route::CLIENT).by(&wrong)).await;
    refused.is_error(401, ErrorId::AuthFailed);
    let text = logs.text();
    for answer in [&answer, &refused] {
        assert!(text.contains(answer.headers["x-portal-trace-id"].to_str().unwrap()), "{text}");
    }
    assert!(text.contains("/v1/backups/{backup}/envelope"), "{text}");
    let key_file = std::fs::read_to_string(service.folder.path().join("custody.key")).unwrap();
    let key = key_file.lines().find_map(|line| line.strip_prefix("key: ")).unwrap();
    let device_key = Base64UrlUnpadded::encode_string(device.key.expose());
    let custodian = service.custodian_key();
    let session_key =
        base16ct::lower::encode_string(service.running.service().session_key.expose());
    let secrets = [
        &device.api_key[3..],
        &wrong[3..],
        &custodian[3..],
        key,
        &device_key,
        &session_key,
        "secret-query",
        &answer.text()[20..],
    ];
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn a_trace_id_of_the_callers_is_logged_and_answered_if_it_is_a_uuid_and_nothing_else_is() {
    let logs = LogCapture::start();
    let service = Service::start().await;
    let id = "6D1F4C7E-2F0A-4F2B-9C3D-5E8A7B6C1D20";
    let header = "x-portal-trace-id";
    let answer = service.send(Request::get(route::HEALTH).with(header, id)).await;
    assert_eq!(answer.headers[header], id);
    let other = "ck_in-the-wrong-header";
    let answer = service.send(Request::get(route::HEALTH).with(header, other)).await;
    assert_ne!(answer.headers[header], other);
    let text = logs.text();
    assert!(text.lines().any(|line| line.contains(id) && line.contains("answered")), "{text}");
    assert!(!text.contains(other), "{text}");
}

#[tokio::test]
async fn an_internal_error_is_explained_in_the_log_alone() {
    let logs = LogCapture::start();
    let service = Service::start().await;
    let client = service.create_client().await;
    service.running.service().store.close().await;
    let answer = service.send(Request::get(route::CLIENT).by(&client.client_api_key)).await;
    answer.is_error(500, ErrorId::InternalError);
    assert!(!answer.text().contains("pool"), "{}", answer.text());
    let trace = answer.headers["x-portal-trace-id"].to_str().unwrap();
    let line = logs.text();
    let line = line.lines().find(|line| line.contains(trace)).unwrap();
    assert!(line.contains("pool"), "{line}");
}
