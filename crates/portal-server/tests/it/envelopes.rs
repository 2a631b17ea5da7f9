//! Envelopes: stored once in the place that is theirs, and given back as they came.

use backup_core::{Envelope, MethodId, Sealer};
use portal_api::{Completion, ErrorId, route};
use portal_server::{
    api_key::{ApiKeyHash, Audience},
    store::{EnvelopeSlot, NewBackupSet, StoredEnvelope},
};
use sha2::{Digest, Sha256};

use crate::common::{
    NOW, Service,
    device::{Begun, Device},
    http::Request,
};

async fn password(device: &Device) -> Sealer {
    device.enroll(MethodId::PASSWORD).await
}

#[tokio::test]
async fn an_envelope_is_given_back_as_it_came_also_after_a_restart() {
    let service = Service::start().await;
    let device = service.device().await;
    let begun = device.begin(service.running.service(), &password(&device).await).await;
    device.store(&service, &begun).await.is_done();
    let service = service.restart().await;
    let answer = device.get(&service, &route::envelope(&begun.id)).await;
    assert_eq!(answer.text(), begun.envelope.as_str());
    assert_eq!(answer.headers["content-type"], "text/plain");
    let hash: [u8; 32] = Sha256::digest(begun.envelope.as_str()).into();
    assert_eq!(device.view(&service).await.backups[0].envelope_sha256, Some(hash));
}

#[tokio::test]
async fn an_envelope_is_write_once() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = password(&device).await;
    let begun = device.begin(service.running.service(), &sealer).await;
    device.store(&service, &begun).await.is_done();
    device.store(&service, &begun).await.is_done();
    let again = again(&begun.envelope, &sealer, &begun.client);
    let answer = device.put_envelope(&service, &begun.id, again.as_str()).await;
    answer.is_error(409, ErrorId::StateInvalid);
    let stored = device.get(&service, &route::envelope(&begun.id)).await;
    assert_eq!(stored.text(), begun.envelope.as_str());
}

/// Another envelope of the same set: sealing is not deterministic.
fn again(
    envelope: &Envelope,
    sealer: &Sealer,
    share: &portal_mpc::BackupShare<portal_mpc::Client>,
) -> Envelope {
    let pair = envelope.header().wallets[0].pair.clone();
    let share = crate::common::device::client_share(pair, share);
    sealer.seal(&envelope.header().backup, &[share]).unwrap()
}

#[tokio::test]
async fn what_is_no_envelope_or_of_something_else_is_not_stored() {
    let service = Service::start().await;
    let device = service.device().await;
    let shared = service.running.service();
    let (sealer, drive) = (password(&device).await, device.enroll(MethodId::GDRIVE).await);
    let of_drive = device.begin(shared, &drive).await;
    let before = device.begin(shared, &sealer).await;
    let begun = device.begin(shared, &sealer).await;
    let stranger = service.device().await;
    let strange = stranger.begin(shared, &password(&stranger).await).await;
    let mut of_other_method = begun.envelope.as_str().to_owned();
    of_other_method.truncate(40);
    let wrong = [
        "",
        "portal-backup-2.AAAA",
        &of_other_method,
        of_drive.envelope.as_str(),
        before.envelope.as_str(),
        strange.envelope.as_str(),
    ];
    for text in wrong {
        let answer = device.put_envelope(&service, &begun.id, text).await;
        answer.is_error(400, ErrorId::BadRequest);
    }
    device.store(&service, &begun).await.is_done();
    device.store(&service, &before).await.is_error(404, ErrorId::NotFound);
}

#[tokio::test]
async fn an_envelope_without_a_slot_is_for_the_apps_own_store_only() {
    let service = Service::start().await;
    let device = service.device().await;
    let (custom, _key) = Sealer::without_slot(&device.context).unwrap();
    let id = device.back_up(&service, &custom, None, true).await;
    assert_eq!(device.backups(&service).await, [id]);
}

#[tokio::test]
async fn an_envelope_may_be_as_long_as_the_format_allows_and_no_longer() {
    let service = Service::start().await;
    let device = service.device().await;
    let begun = device.begin(service.running.service(), &password(&device).await).await;
    let path = route::envelope(&begun.id);
    for (len, status) in [(Envelope::MAX_LEN, 400), (Envelope::MAX_LEN + 1, 413)] {
        let request = Request::new(reqwest::Method::PUT, &path).body("text/plain", vec![b'A'; len]);
        let answer = service.send(device.signed(request)).await;
        answer.is_error(status, ErrorId::BadRequest);
    }
}

#[tokio::test]
async fn of_two_envelopes_that_are_stored_at_once_one_is_refused_and_the_other_stays() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = password(&device).await;
    for _ in 0..20 {
        let begun = device.begin(service.running.service(), &sealer).await;
        let other = again(&begun.envelope, &sealer, &begun.client);
        let (one, two) = tokio::join!(
            device.put_envelope(&service, &begun.id, begun.envelope.as_str()),
            device.put_envelope(&service, &begun.id, other.as_str()),
        );
        let (kept, refused) =
            if one.status.is_success() { (begun.envelope, two) } else { (other, one) };
        refused.is_error(409, ErrorId::StateInvalid);
        let stored = device.get(&service, &route::envelope(&begun.id)).await;
        assert_eq!(stored.text(), kept.as_str());
    }
}

#[tokio::test]
async fn a_place_is_looked_at_again_when_its_envelope_is_stored() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = password(&device).await;
    let mut dropped = device.begin(service.running.service(), &sealer).await;
    let of_dropped = place(&service, &device, &dropped).await;
    assert!(is_filled(&service, &device, &of_dropped, &dropped).await);
    assert!(is_filled(&service, &device, &of_dropped, &dropped).await, "it is there");
    dropped.envelope = again(&dropped.envelope, &sealer, &dropped.client);
    assert!(!is_filled(&service, &device, &of_dropped, &dropped).await, "it has another");

    let begun = device.begin(service.running.service(), &sealer).await;
    assert!(!is_filled(&service, &device, &of_dropped, &dropped).await, "it was dropped");
    let before = place(&service, &device, &begun).await;
    device.on_another(service.running.service()).await;
    assert!(!is_filled(&service, &device, &before, &begun).await, "another device signs");
    let after = place(&service, &device, &begun).await;
    make_anew(&service, &device, &begun).await;
    assert!(!is_filled(&service, &device, &after, &begun).await, "it is of another set");
    let last = place(&service, &device, &begun).await;
    assert!(is_filled(&service, &device, &last, &begun).await);
}

#[tokio::test]
async fn a_set_that_was_just_made_takes_an_envelope_only_with_a_key_of_its_client() {
    let service = Service::start().await;
    let mut device = service.device().await;
    let own = device.api_key.clone();
    let over = service.device().await.api_key;
    let hash = ApiKeyHash::of_presented(&over, Audience::Client).unwrap();
    let mut write = service.running.service().store.write().await.unwrap();
    assert!(write.end_api_key(&hash.name(), 0).await.unwrap());
    write.commit().await.unwrap();
    let sealer = password(&device).await;
    let others = (service.device().await.api_key, 409, ErrorId::SignShareMismatch);
    let nobodys = [over, own.replace("ck_", "ck_A")].map(|key| (key, 401, ErrorId::AuthFailed));
    for (key, status, id) in [others].into_iter().chain(nobodys) {
        device.api_key = key;
        let begun = device.begin(service.running.service(), &sealer).await;
        let while_new = device.store(&service, &begun).await;
        let later = device.store(&service, &begun).await;
        while_new.is_error(status, id);
        assert_eq!((while_new.status, while_new.text()), (later.status, later.text()));
        device.api_key.clone_from(&own);
        device.get(&service, &route::envelope(&begun.id)).await.is_error(404, ErrorId::NotFound);
        device.store(&service, &begun).await.is_done();
    }
}

#[tokio::test]
async fn a_key_that_is_over_by_the_time_of_its_envelope_stores_nothing() {
    let service = Service::start().await;
    let device = service.device().await;
    let begun = device.begin(service.running.service(), &password(&device).await).await;
    let hash = ApiKeyHash::of_presented(&device.api_key, Audience::Client).unwrap();
    let store = &service.running.service().store;
    let mut write = store.write().await.unwrap();
    assert!(write.end_api_key(&hash.name(), 0).await.unwrap());
    write.commit().await.unwrap();
    device.store(&service, &begun).await.is_error(401, ErrorId::AuthFailed);
    let mut view = store.read().await.unwrap();
    assert_eq!(view.envelope(&device.context.client, &begun.id).await.unwrap(), None);
}

/// Drops the set, and makes one of the same name.
async fn make_anew(service: &Service, device: &Device, begun: &Begun) {
    let client = &device.context.client;
    let mut write = service.running.service().store.write().await.unwrap();
    let set = NewBackupSet {
        id: begun.id.clone(),
        method: MethodId::PASSWORD,
        completion: Completion::Commit,
        device_key: device.key.public(),
        pairs: write.custodian_halves(client, &begun.id).await.unwrap().unwrap(),
    };
    write.delete_backup(client, &begun.id).await.unwrap();
    write.insert_backup(&device.context, &set, NOW).await.unwrap();
    write.commit().await.unwrap();
}

async fn place(service: &Service, device: &Device, begun: &Begun) -> EnvelopeSlot {
    let mut view = service.running.service().store.read().await.unwrap();
    view.envelope_slot(&device.context.client, &begun.id).await.unwrap().unwrap()
}

async fn is_filled(
    service: &Service,
    device: &Device,
    place: &EnvelopeSlot,
    Begun { envelope, .. }: &Begun,
) -> bool {
    let stored = StoredEnvelope {
        text: envelope.as_str(),
        sha256: Sha256::digest(envelope.as_str()).into(),
        enrollment: envelope.header().enrollment(),
    };
    let store = &service.running.service().store;
    store.store_envelope(&device.context.client, place, &stored, None).await.unwrap()
}
