//! A custodian whose apps keep the ciphertexts.

use backup_core::MethodId;
use portal_api::{BackupStatus, Completion, ErrorId, route};
use serde_json::Value;

use super::said::{KEY, SHARE};
use crate::common::{Service, device::Device};

async fn self_managed() -> Service {
    Service::start_with(|options| options.backup_with_portal = Some(false)).await
}

async fn is_managed(service: &Service, device: &Device) -> bool {
    let me: Value = device.get(service, route::ME).await.json();
    me["environment"]["backupWithPortalEnabled"].as_bool().unwrap()
}

#[tokio::test]
async fn a_client_says_which_mode_it_is_and_what_was_said_last_stays() {
    let service = Service::start().await;
    let device = service.device().await;
    assert!(is_managed(&service, &device).await);
    let service = self_managed().await;
    let device = service.device().await;
    assert!(!is_managed(&service, &device).await);
    let service = service.restart().await;
    assert!(!is_managed(&service, &device).await);
}

#[tokio::test]
async fn no_ciphertext_is_stored_or_read() {
    let service = self_managed().await;
    let device = service.device().await;
    let sealer = device.enroll(MethodId::PASSKEY).await;
    let begun = device.begin_for(service.running.service(), &sealer, Completion::Notice).await;
    let text = begun.envelope.as_str();
    let answer = device.store_cipher_text(&service, &begun.pair, text).await;
    answer.is_error(409, ErrorId::StateInvalid);
    let path = route::cipher_text(&begun.pair);
    device.get(&service, &path).await.is_error(404, ErrorId::NotFound);
}

#[tokio::test]
async fn the_apps_word_completes_and_proves_nothing() {
    let service = self_managed().await;
    let device = service.device().await;
    let sealer = device.enroll(MethodId::PASSKEY).await;
    for path in [route::STORED_SHARE, route::STORED_SHARE_V1] {
        let begun = device.begin_for(service.running.service(), &sealer, Completion::Notice).await;
        device.stored(&service, route::STORED_KEY, "passkey").await.is_done();
        device.stored(&service, path, "Passkey").await.is_done();
        let set = device.view(&service).await.backups.remove(0);
        assert_eq!((&set.id, set.status), (&begun.id, BackupStatus::Completed));
        assert!(set.head && !set.proved && set.envelope_sha256.is_none());
    }
    let kept = device.view(&service).await.backups;
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|set| set.retires_at.is_none()));
}

#[tokio::test]
async fn a_notice_of_all_pairs_completes_too_even_at_once() {
    let service = self_managed().await;
    let device = service.device().await;
    let sealer = device.enroll(MethodId::GDRIVE).await;
    let begun = device.begin_for(service.running.service(), &sealer, Completion::Notice).await;
    for _ in 0..2 {
        device.notice(&service, &[begun.pair.as_str()], SHARE).await.is_done();
        assert_eq!(device.backups(&service).await, std::slice::from_ref(&begun.id));
    }
    let answer = device.notice(&service, &[begun.pair.as_str()], KEY).await;
    answer.is_error(409, ErrorId::StateInvalid);
}

#[tokio::test]
async fn the_apps_word_completes_no_set_that_is_to_be_committed() {
    let service = self_managed().await;
    let device = service.device().await;
    let sealer = device.enroll(MethodId::PASSKEY).await;
    let begun = device.begin(service.running.service(), &sealer).await;
    let answer = device.stored(&service, route::STORED_SHARE, "PASSKEY").await;
    answer.is_error(409, ErrorId::StateInvalid);
    let answer = device.stored(&service, route::STORED_SHARE, "UNKNOWN").await;
    answer.is_error(409, ErrorId::StateInvalid);
    device.store(&service, &begun).await.is_done();
    let commit = device.commit_of(&begun, None, true);
    assert!(device.commit(&service, &begun.id, &commit).await.status.is_success());
}
