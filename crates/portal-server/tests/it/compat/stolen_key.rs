//! What whoever has the API key of a client, and no device of its, can do by Portal's own routes.

use backup_core::MethodId;
use portal_api::{BackupStatus, Completion, ErrorId, route};
use serde_json::Value;

use super::said::{KEY, SHARE};
use crate::common::{DAY, Service};

#[tokio::test]
async fn a_set_that_its_device_will_commit_is_neither_filled_nor_completed() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = device.enroll(MethodId::PASSWORD).await;
    let forger = device.enroll(MethodId::PASSWORD).await;
    let begun = device.begin(service.running.service(), &sealer).await;
    let forged = device.forged(&forger, &begun);
    let pair = begun.pair.as_str();
    for text in [forged.as_str(), begun.envelope.as_str()] {
        let answer = device.store_cipher_text(&service, &begun.pair, text).await;
        answer.is_error(409, ErrorId::StateInvalid);
    }
    device.store(&service, &begun).await.is_done();
    let text = begun.envelope.as_str();
    let answer = device.store_cipher_text(&service, &begun.pair, text).await;
    answer.is_error(409, ErrorId::StateInvalid);
    for status in [SHARE, KEY] {
        device.notice(&service, &[pair], status).await.is_error(409, ErrorId::StateInvalid);
    }
    for path in [route::STORED_SHARE, route::STORED_SHARE_V1, route::STORED_KEY] {
        device.stored(&service, path, "PASSWORD").await.is_error(409, ErrorId::StateInvalid);
    }
    assert_eq!(device.view(&service).await.backups[0].status, BackupStatus::Pending);
    let commit = device.commit_of(&begun, None, true);
    assert!(device.commit(&service, &begun.id, &commit).await.status.is_success());
}

#[tokio::test]
async fn where_a_device_has_committed_no_notice_supersedes_it() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = device.enroll(MethodId::PASSWORD).await;
    let first = device.back_up(&service, &sealer, None, true).await;
    let shared = service.running.service();
    let meant = device.begin_for(shared, &sealer, Completion::Notice).await;
    let forged = device.forged(&device.enroll(MethodId::PASSWORD).await, &meant);
    for text in [forged.as_str(), meant.envelope.as_str()] {
        let answer = device.store_cipher_text(&service, &meant.pair, text).await;
        answer.is_error(409, ErrorId::StateInvalid);
    }
    let answer = device.notice(&service, &[meant.pair.as_str()], SHARE).await;
    answer.is_error(409, ErrorId::StateInvalid);
    assert_eq!(device.backups(&service).await, std::slice::from_ref(&first));
    let second = device.back_up(&service, &sealer, Some(&first), false).await;
    let view = device.view(&service).await;
    assert_eq!((&view.backups[0].id, view.backups[0].proved), (&second, true));
}

#[tokio::test]
async fn a_forged_ciphertext_takes_no_earlier_backup_away_and_the_next_one_supersedes_it() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = device.enroll(MethodId::PASSWORD).await;
    let shared = service.running.service();
    let good = device.begin_for(shared, &sealer, Completion::Notice).await;
    let text = good.envelope.as_str();
    assert!(device.store_cipher_text(&service, &good.pair, text).await.status.is_success());
    let begun = device.begin_for(shared, &sealer, Completion::Notice).await;
    let forged = device.forged(&device.enroll(MethodId::PASSWORD).await, &begun);
    let answer = device.store_cipher_text(&service, &begun.pair, &forged).await;
    assert!(answer.status.is_success(), "whoever knows the pair's name can: {}", answer.text());
    let text = begun.envelope.as_str();
    let answer = device.store_cipher_text(&service, &begun.pair, text).await;
    answer.is_error(409, ErrorId::StateInvalid);
    service.wait(400 * DAY).await;
    let sets = device.view(&service).await.backups;
    assert!(sets.iter().any(|set| set.id == good.id && set.retires_at.is_none()));
    let read: Value = device.get(&service, &route::cipher_text(&good.pair)).await.json();
    assert_eq!(read["cipherText"], good.envelope.as_str());
    let next = device.begin_for(shared, &sealer, Completion::Notice).await;
    let text = next.envelope.as_str();
    assert!(device.store_cipher_text(&service, &next.pair, text).await.status.is_success());
    let me: Value = device.get(&service, route::ME).await.json();
    assert_eq!(me["wallets"][0]["backupSharePairs"][0]["id"], next.pair.as_str());
}

#[tokio::test]
async fn the_names_of_pairs_that_wait_for_a_notice_are_read_by_nobody() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = device.enroll(MethodId::PASSWORD).await;
    let begun = device.begin_for(service.running.service(), &sealer, Completion::Notice).await;
    let me: Value = device.get(&service, route::ME).await.json();
    let wallet = me["wallets"][0]["id"].as_str().unwrap();
    for path in [route::ME, route::CLIENT, &route::backup_pairs(wallet)] {
        let text = device.get(&service, path).await;
        let text = text.text();
        assert!(!text.contains(begun.pair.as_str()) && !text.contains(begun.id.as_str()), "{text}");
    }
}
