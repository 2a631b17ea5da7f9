//! Ciphertexts by Portal's own routes, which complete sets where the service keeps them.

use backup_core::{BackupId, MethodId, Sealer};
use portal_api::{BackupStatus, Completion, ErrorId, PairName, route};
use portal_mpc::Curves;
use reqwest::Method;
use serde_json::{Value, json};

use super::said::{SHARE, say};
use crate::{
    common::{DAY, Service, http::Request},
    wallet::{BackedUp, Wallet, generate, recover, view},
    wire::User,
};

async fn begun_for_a_notice(wallet: &Wallet, service: &Service, user: &User) -> BackedUp {
    let id = BackupId::generate().unwrap();
    let begun = wallet.backing_up_for(user, &id, Completion::Notice);
    let (shares, reply) = begun.run(service, user, &wallet.key).await.unwrap();
    BackedUp { id, names: reply.pairs.unwrap(), shares }
}

#[tokio::test]
async fn a_set_completes_when_every_pair_has_the_same_ciphertext_and_recovers_its_wallets() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let new = generate(&service, &user, Curves::BOTH).await.unwrap();
    let lost = new.confirm(&service, &user).await.unwrap();
    let backup = begun_for_a_notice(&lost, &service, &user).await;
    assert!(view(&service, &user).await.backups.is_empty(), "only its device knows of it");
    let (sealer, _) = Sealer::without_slot(&user.context).unwrap();
    let envelope = sealer.seal(&backup.id, &backup.to_be_sealed()).unwrap();
    let body = json!({ "clientCipherText": envelope.as_str() });
    for (at, (_, PairName(pair))) in backup.names.iter().enumerate() {
        let path = route::backup_pair(pair);
        for _ in 0..2 {
            let answer = say(&service, &user.api_key, Method::PATCH, &path, &body).await;
            assert_eq!((answer.status.as_u16(), answer.text()), (200, "{}"));
        }
        assert_eq!(view(&service, &user).await.backups.len(), at);
    }
    for (_, PairName(pair)) in backup.names.iter() {
        let path = route::cipher_text(pair);
        let read: Value = service.send(Request::get(&path).by(&user.api_key)).await.json();
        assert_eq!(read, json!({ "cipherText": envelope.as_str() }));
    }
    let set = view(&service, &user).await.backups.remove(0);
    assert_eq!((set.status, set.head, set.proved), (BackupStatus::Completed, true, false));
    let found = recover(&service, &user, &backup).await.unwrap();
    let found = found.confirm(&service, &user).await.unwrap();
    assert_eq!(found.public_keys(), lost.public_keys());
    assert!(view(&service, &user).await.backups[0].proved);
}

#[tokio::test]
async fn a_ciphertext_is_written_once() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = device.enroll(MethodId::PASSWORD).await;
    let shared = service.running.service();
    let begun = device.begin_for(shared, &sealer, Completion::Notice).await;
    let text = begun.envelope.as_str();
    assert!(device.store_cipher_text(&service, &begun.pair, text).await.status.is_success());
    let other = device.begin_for(shared, &sealer, Completion::Notice).await;
    let answer = device.store_cipher_text(&service, &begun.pair, other.envelope.as_str()).await;
    answer.is_error(409, ErrorId::StateInvalid);
    assert!(device.store_cipher_text(&service, &begun.pair, text).await.status.is_success());
    let path = route::cipher_text(&begun.pair);
    let read: Value = device.get(&service, &path).await.json();
    assert_eq!(read["cipherText"], text);
}

#[tokio::test]
async fn what_is_no_envelope_of_this_set_is_refused_and_completes_nothing() {
    let service = Service::start().await;
    let (device, other) = (service.device().await, service.device().await);
    let shared = service.running.service();
    let sealer = device.enroll(MethodId::PASSWORD).await;
    let earlier = device.begin_for(shared, &sealer, Completion::Notice).await;
    let begun = device.begin_for(shared, &sealer, Completion::Notice).await;
    let others = other.begin(shared, &other.enroll(MethodId::PASSWORD).await).await;
    let portals = "0a".repeat(300);
    let wrong = ["", "undefined", &portals, earlier.envelope.as_str(), others.envelope.as_str()];
    for text in wrong {
        let answer = device.store_cipher_text(&service, &begun.pair, text).await;
        answer.is_error(400, ErrorId::BadRequest);
    }
    let mut read = shared.store.read().await.unwrap();
    let rows = read.backups(&device.context.client).await.unwrap();
    assert!(rows.iter().all(|row| !row.set.is_completed() && row.envelope_sha256.is_none()));
    let path = route::cipher_text(&begun.pair);
    device.get(&service, &path).await.is_error(404, ErrorId::NotFound);
}

#[tokio::test]
async fn where_the_service_keeps_ciphertexts_nothing_completes_without() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = device.enroll(MethodId::PASSWORD).await;
    let shared = service.running.service();
    let begun = device.begin_for(shared, &sealer, Completion::Notice).await;
    let pair = begun.pair.as_str();
    device.notice(&service, &[pair], SHARE).await.is_error(409, ErrorId::StateInvalid);
    let answer = device.stored(&service, route::STORED_SHARE, "password").await;
    answer.is_error(409, ErrorId::StateInvalid);
    assert!(device.backups(&service).await.is_empty());
    let text = begun.envelope.as_str();
    assert!(device.store_cipher_text(&service, &begun.pair, text).await.status.is_success());
    device.notice(&service, &[pair], SHARE).await.is_done();
    assert_eq!(device.backups(&service).await, [begun.id]);
}

#[tokio::test]
async fn a_set_completed_by_its_ciphertext_retires_nothing() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = device.enroll(MethodId::PASSWORD).await;
    let mut made = Vec::new();
    for _ in 0..2 {
        let shared = service.running.service();
        let begun = device.begin_for(shared, &sealer, Completion::Notice).await;
        let text = begun.envelope.as_str();
        assert!(device.store_cipher_text(&service, &begun.pair, text).await.status.is_success());
        made.insert(0, begun.id);
    }
    service.wait(400 * DAY).await;
    assert_eq!(device.backups(&service).await, made);
    let me: Value = device.get(&service, route::ME).await.json();
    let shown = me["wallets"][0]["backupSharePairs"].as_array().unwrap();
    assert_eq!(shown.len(), 1);
}

#[tokio::test]
async fn nobody_stores_or_reads_the_ciphertexts_of_another_client() {
    let service = Service::start().await;
    let (device, other) = (service.device().await, service.device().await);
    let sealer = device.enroll(MethodId::PASSWORD).await;
    let shared = service.running.service();
    let begun = device.begin_for(shared, &sealer, Completion::Notice).await;
    let text = begun.envelope.as_str();
    let answer = other.store_cipher_text(&service, &begun.pair, text).await;
    answer.is_error(404, ErrorId::NotFound);
    assert!(device.store_cipher_text(&service, &begun.pair, text).await.status.is_success());
    let path = route::cipher_text(&begun.pair);
    other.get(&service, &path).await.is_error(404, ErrorId::NotFound);
}
