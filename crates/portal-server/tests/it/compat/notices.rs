//! What an app tells of its pairs, and what comes of it.

use backup_core::MethodId;
use portal_api::{Completion, ErrorId, compat::BackupStage, route};
use reqwest::Method;
use serde_json::{Value, json};

use super::said::{KEY, SHARE, say};
use crate::common::{
    Service,
    device::{Begun, Device},
};

async fn begun(service: &Service) -> (Device, Begun) {
    let device = service.device().await;
    let sealer = device.enroll(MethodId::GDRIVE).await;
    let begun = device.begin_for(service.running.service(), &sealer, Completion::Notice).await;
    (device, begun)
}

async fn stage(service: &Service, device: &Device) -> BackupStage {
    let mut read = service.running.service().store.read().await.unwrap();
    read.backups(&device.context.client).await.unwrap()[0].stages[0].1
}

#[tokio::test]
async fn the_key_of_a_backup_is_noticed_by_pair_and_by_method_in_any_case() {
    let service = Service::start().await;
    let (device, begun) = begun(&service).await;
    let path = format!("{}/", route::BACKUP_PAIR_NOTICES);
    let body = json!({ "backupSharePairIds": [begun.pair.as_str()], "status": KEY.to_lowercase() });
    for path in [path.as_str(), route::BACKUP_PAIR_NOTICES] {
        say(&service, &device.api_key, Method::PATCH, path, &body).await.is_done();
        assert_eq!(stage(&service, &device).await, BackupStage::ClientKey);
    }
    for name in ["GDRIVE", "gdrive", "GDrive", "UNKNOWN"] {
        device.stored(&service, route::STORED_KEY, name).await.is_done();
    }
    let back = "STORED_CUSTODIAN_BACKUP_SHARE";
    let answer = device.notice(&service, &[begun.pair.as_str()], back).await;
    answer.is_error(409, ErrorId::StateInvalid);
    assert_eq!(stage(&service, &device).await, BackupStage::ClientKey);
}

#[tokio::test]
async fn a_notice_that_comes_too_late_is_refused() {
    let service = Service::start().await;
    let (device, begun) = begun(&service).await;
    let text = begun.envelope.as_str();
    assert!(device.store_cipher_text(&service, &begun.pair, text).await.status.is_success());
    for path in [route::STORED_SHARE, route::STORED_SHARE_V1, route::STORED_KEY] {
        device.stored(&service, path, "GDRIVE").await.is_error(409, ErrorId::StateInvalid);
        device.stored(&service, path, "UNKNOWN").await.is_error(409, ErrorId::StateInvalid);
    }
    let pair = begun.pair.as_str();
    device.notice(&service, &[pair], KEY).await.is_error(409, ErrorId::StateInvalid);
    device.notice(&service, &[pair], SHARE).await.is_done();
    device.notice(&service, &["gone"], SHARE).await.is_error(404, ErrorId::NotFound);
}

#[tokio::test]
async fn that_something_was_not_stored_changes_nothing() {
    let service = Service::start().await;
    let (device, _) = begun(&service).await;
    let body = json!({ "backupMethod": "GDRIVE", "success": false });
    for path in [route::STORED_SHARE, route::STORED_SHARE_V1, route::STORED_KEY] {
        say(&service, &device.api_key, Method::PUT, path, &body).await.is_done();
    }
    assert_eq!(stage(&service, &device).await, BackupStage::CustodianShare);
}

#[tokio::test]
async fn a_live_signing_pair_is_with_its_device_and_a_pending_one_signs_its_test_first() {
    let service = Service::start().await;
    let device = service.device().await;
    let me: Value = device.get(&service, route::ME).await.json();
    let pair = &me["wallets"][0]["signingSharePairs"][0]["id"];
    for status in ["STORED_CLIENT", "stored_client"] {
        let body = json!({ "signingSharePairIds": [pair], "status": status });
        let path = route::SIGNING_PAIR_NOTICES;
        say(&service, &device.api_key, Method::PATCH, path, &body).await.is_done();
    }
    let body = json!({ "signingSharePairIds": ["gone"], "status": "STORED_CLIENT" });
    let path = route::SIGNING_PAIR_NOTICES;
    let answer = say(&service, &device.api_key, Method::PATCH, path, &body).await;
    answer.is_error(404, ErrorId::NotFound);
}

#[tokio::test]
async fn statistics_are_understood_and_dropped() {
    let service = Service::start().await;
    let client = service.create_client().await;
    let identify = json!({ "traits": { "name": "somebody", "age": 7 } });
    let track = json!({ "event": "Wallet Recovered", "properties": { "chain": ["a"] } });
    for (path, body) in [(route::IDENTIFY, identify), (route::TRACK, track)] {
        let answer = say(&service, &client.client_api_key, Method::POST, path, &body).await;
        let said = (answer.status.as_u16(), answer.text());
        assert_eq!(said, (200, r#"{"status":true,"success":true}"#));
    }
}
