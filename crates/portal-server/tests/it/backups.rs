//! The life of backup sets, asked for over the wire.

use backup_core::{BackupId, EncryptionContext, Envelope, MethodId, Sealer};
use portal_api::{BackupSetView, BackupStatus, ErrorId, PerCurve, route};
use portal_mpc::HoldProof;
use sha2::{Digest, Sha256};

use crate::common::{DAY, NOW, Service, device::Device};

async fn password(device: &Device) -> Sealer {
    device.enroll(MethodId::PASSWORD).await
}

#[tokio::test]
async fn a_pending_set_is_shown_without_an_envelope() {
    let service = Service::start().await;
    let device = service.device().await;
    let begun = device.begin(service.running.service(), &password(&device).await).await;
    let view = device.view(&service).await;
    let [set] = &view.backups[..] else { panic!("{view:?}") };
    assert_eq!((&set.id, &set.method), (&begun.id, &MethodId::PASSWORD));
    assert_eq!(set.status, BackupStatus::Pending);
    assert!(!set.head && !set.proved);
    assert_eq!((set.created_at, set.completed_at, set.retires_at), (NOW, None, None));
    assert_eq!(set.device_key, device.key.public());
    assert_eq!(set.envelope_sha256, None);
    let pair = set.pairs.ed25519.as_ref().unwrap();
    assert_eq!(pair.public_key, device.wallet().as_bytes());
    let path = route::envelope(&begun.id);
    device.get(&service, &path).await.is_error(404, ErrorId::NotFound);
}

#[tokio::test]
async fn the_live_signing_set_is_shown() {
    let service = Service::start().await;
    let device = service.device().await;
    let view = device.view(&service).await;
    let live = view.signing.unwrap();
    assert_eq!(live.device_key, device.key.public());
    let pair = live.pairs.ed25519.unwrap();
    assert_eq!(pair.public_key, device.wallet().as_bytes());
    assert!(!pair.frozen && live.pairs.secp256k1.is_none() && view.pending_signing.is_empty());
}

#[tokio::test]
async fn a_commit_completes_a_set_and_makes_it_the_head() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = password(&device).await;
    let begun = device.begin(service.running.service(), &sealer).await;
    device.store(&service, &begun).await.is_done();
    let commit = device.commit_of(&begun, None, true);
    let set: BackupSetView = device.commit(&service, &begun.id, &commit).await.json();
    assert_eq!(set.status, BackupStatus::Completed);
    assert!(set.head && set.proved);
    assert_eq!((set.completed_at, set.retires_at), (Some(NOW), None));
    assert_eq!(device.view(&service).await.backups, [set]);
}

#[tokio::test]
async fn a_repeated_commit_has_the_same_answer() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = password(&device).await;
    let begun = device.begin(service.running.service(), &sealer).await;
    device.store(&service, &begun).await.is_done();
    let commit = device.commit_of(&begun, None, true);
    let first: BackupSetView = device.commit(&service, &begun.id, &commit).await.json();
    service.wait(DAY).await;
    let service = service.restart().await;
    let second: BackupSetView = device.commit(&service, &begun.id, &commit).await.json();
    assert_eq!(first, second);
}

#[tokio::test]
async fn a_commit_without_an_envelope_or_with_another_is_refused() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = password(&device).await;
    let begun = device.begin(service.running.service(), &sealer).await;
    let commit = device.commit_of(&begun, None, true);
    let answer = device.commit(&service, &begun.id, &commit).await;
    answer.is_error(409, ErrorId::StateInvalid);
    device.store(&service, &begun).await.is_done();
    let other = portal_api::Commit { envelope_sha256: [0; 32], ..commit };
    let answer = device.commit(&service, &begun.id, &other).await;
    answer.is_error(409, ErrorId::StateInvalid);
    assert_eq!(device.view(&service).await.backups[0].status, BackupStatus::Pending);
}

#[tokio::test]
async fn a_commit_of_what_is_not_there_is_not_found() {
    let service = Service::start().await;
    let device = service.device().await;
    let begun = device.begin(service.running.service(), &password(&device).await).await;
    let commit = device.commit_of(&begun, None, true);
    let unknown = BackupId::new("unknown").unwrap();
    device.commit(&service, &unknown, &commit).await.is_error(404, ErrorId::NotFound);
}

#[tokio::test]
async fn a_commit_that_names_another_head_is_refused() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = password(&device).await;
    let head = device.back_up(&service, &sealer, None, true).await;
    let begun = device.begin(service.running.service(), &sealer).await;
    device.store(&service, &begun).await.is_done();
    let unknown = BackupId::new("unknown").unwrap();
    for wrong in [None, Some(&unknown), Some(&begun.id)] {
        let commit = device.commit_of(&begun, wrong, true);
        let answer = device.commit(&service, &begun.id, &commit).await;
        answer.is_error(409, ErrorId::StateInvalid);
    }
    let commit = device.commit_of(&begun, Some(&head), true);
    let set: BackupSetView = device.commit(&service, &begun.id, &commit).await.json();
    assert!(set.head);
}

#[tokio::test]
async fn a_commit_without_proof_of_the_devices_half_is_refused() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = password(&device).await;
    let head = device.back_up(&service, &sealer, None, true).await;
    let other = device.begin(service.running.service(), &sealer).await;
    let begun = device.begin(service.running.service(), &sealer).await;
    device.store(&service, &begun).await.is_done();
    let commit = device.commit_of(&begun, Some(&head), true);
    let of_other = device.commit_of(&other, Some(&head), true).proofs;
    let empty = HoldProof::from_bytes(&[0; 64]).unwrap().into();
    for proofs in [of_other, PerCurve { secp256k1: None, ed25519: Some(empty) }] {
        let commit = portal_api::Commit { proofs, ..commit.clone() };
        let answer = device.commit(&service, &begun.id, &commit).await;
        answer.is_error(400, ErrorId::DkgRefreshMismatch);
    }
    let proof = commit.proofs.ed25519;
    let counts = [
        PerCurve { secp256k1: None, ed25519: None },
        PerCurve { secp256k1: proof, ed25519: proof },
        PerCurve { secp256k1: proof, ed25519: None },
    ];
    for proofs in counts {
        let commit = portal_api::Commit { proofs, ..commit.clone() };
        let answer = device.commit(&service, &begun.id, &commit).await;
        answer.is_error(400, ErrorId::BadRequest);
    }
    assert_eq!(device.view(&service).await.backups[0].status, BackupStatus::Pending);
}

#[tokio::test]
async fn a_commit_is_refused_when_the_custodians_half_is_not_the_sets() {
    let service = Service::start().await;
    let device = service.device().await;
    let shared = service.running.service();
    let begun = device.begin(shared, &password(&device).await).await;
    device.store(&service, &begun).await.is_done();
    let client = &device.context.client;
    let halves = async || {
        let mut read = shared.store.read().await.unwrap();
        read.custodian_halves(client, &begun.id).await.unwrap().unwrap().ed25519.unwrap()
    };
    let half = halves().await;
    let half = half.sealed().unwrap();
    assert!(shared.custody.verify_backup(&device.context, half).await.is_ok());
    let stranger = EncryptionContext::new(
        device.context.custodian.clone(),
        backup_core::ClientId::new("stranger").unwrap(),
    );
    assert!(shared.custody.verify_backup(&stranger, half).await.is_err());
    let mut write = shared.store.write().await.unwrap();
    swap_half(&mut write, &device, &begun.id, shared).await;
    write.commit().await.unwrap();
    let commit = device.commit_of(&begun, None, true);
    let answer = device.commit(&service, &begun.id, &commit).await;
    answer.is_error(500, ErrorId::InternalError);
    assert_eq!(device.view(&service).await.backups[0].status, BackupStatus::Pending);
}

/// Puts a half that is sealed for this very pair, and is of another one, in the place of the half.
async fn swap_half(
    write: &mut portal_server::store::Write,
    device: &Device,
    backup: &BackupId,
    shared: &portal_server::service::Service,
) {
    let halves = write.custodian_halves(&device.context.client, backup).await.unwrap().unwrap();
    let pair = halves.ed25519.unwrap().pair().clone();
    let signing = crate::common::protocol::signing_pair("another");
    let other = crate::common::protocol::backup_pair(&signing, "other");
    let sealed = shared.custody.seal_backup(&device.context, &pair.id, &other.server).await;
    let sealed = portal_server::store::SealedPair { pair, sealed: sealed.unwrap().sealed };
    let set = portal_server::store::NewBackupSet {
        id: backup.clone(),
        method: MethodId::PASSWORD,
        completion: portal_api::Completion::Commit,
        device_key: device.key.public(),
        pairs: portal_mpc::ByCurve::ed25519(sealed.into()),
    };
    let text = write.envelope(&device.context.client, backup).await.unwrap().unwrap();
    let envelope = Envelope::parse(&text).unwrap();
    write.delete_backup(&device.context.client, backup).await.unwrap();
    write.insert_backup(&device.context, &set, NOW).await.unwrap();
    let stored = portal_server::store::StoredEnvelope {
        text: &text,
        sha256: Sha256::digest(&text).into(),
        enrollment: envelope.header().enrollment(),
    };
    let slot = write.envelope_slot(&device.context.client, backup).await.unwrap().unwrap();
    write.store_envelope(&device.context.client, &slot, &stored).await.unwrap();
}

#[tokio::test]
async fn a_device_that_was_replaced_commits_nothing_and_its_half_is_gone() {
    let service = Service::start().await;
    let device = service.device().await;
    let begun = device.begin(service.running.service(), &password(&device).await).await;
    device.store(&service, &begun).await.is_done();
    let commit = device.commit_of(&begun, None, true);
    let former = sealed_half(&service, &device).await;
    assert!(is_on_disk(&service, &former));
    device.on_another(service.running.service()).await;
    assert!(!is_on_disk(&service, &former));
    let answer = device.commit(&service, &begun.id, &commit).await;
    answer.is_error(409, ErrorId::SignShareMismatch);
}

/// The service's half of the device's signing pair, as it is stored.
async fn sealed_half(service: &Service, device: &Device) -> Vec<u8> {
    let mut read = service.running.service().store.read().await.unwrap();
    let halves = read.signing_shares(&device.context.client, &device.key.public()).await;
    halves.unwrap().unwrap().ed25519.unwrap().sealed.encode()
}

#[tokio::test]
async fn a_silent_backup_of_a_proved_slot_is_proved() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = password(&device).await;
    let first = device.back_up(&service, &sealer, None, true).await;
    device.back_up(&service, &sealer, Some(&first), false).await;
    let view = device.view(&service).await;
    assert!(view.backups[0].proved && view.backups[0].head);
    assert!(!view.backups[1].head);
    assert_eq!(view.backups[1].retires_at, Some(NOW + 30 * DAY));
}

#[tokio::test]
async fn a_superseded_set_goes_after_the_grace_and_its_bytes_with_it() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = password(&device).await;
    let first = device.back_up(&service, &sealer, None, true).await;
    let second = device.back_up(&service, &sealer, Some(&first), false).await;
    let envelope = device.get(&service, &route::envelope(&first)).await.body;
    assert!(is_on_disk(&service, &envelope));
    service.wait(30 * DAY - 1).await;
    assert_eq!(device.backups(&service).await, [second.clone(), first.clone()]);
    service.wait(1).await;
    assert_eq!(device.backups(&service).await, [second]);
    let path = route::envelope(&first);
    device.get(&service, &path).await.is_error(404, ErrorId::NotFound);
    assert!(!is_on_disk(&service, &envelope));
}

/// Two proved sets, and the custodian's half of each as it is stored.
struct TwoSets {
    device: Device,
    first: BackupId,
    gone: Vec<u8>,
    kept: Vec<u8>,
}

impl TwoSets {
    async fn on(service: &Service) -> Self {
        let device = service.device().await;
        let sealer = password(&device).await;
        let first = device.back_up(service, &sealer, None, true).await;
        let second = device.back_up(service, &sealer, Some(&first), true).await;
        let half = async |id| device.custodians_half(service, id).await.sealed.encode();
        let (gone, kept) = (half(&first).await, half(&second).await);
        Self { device, first, gone, kept }
    }

    /// Of the first set nothing is left, neither in the database nor in its log.
    async fn expect_one_gone(self, service: Service) {
        assert!(!is_on_disk(&service, &self.gone));
        assert!(is_on_disk(&service, &self.kept));
        assert!(!is_on_disk(&service.restart().await, &self.gone));
    }
}

#[tokio::test]
async fn the_custodians_half_is_in_no_file_once_its_set_is_revoked() {
    let service = Service::start().await;
    let sets = TwoSets::on(&service).await;
    assert!(is_on_disk(&service, &sets.gone));
    sets.device.revoke(&service, &[&sets.first]).await.is_done();
    sets.expect_one_gone(service).await;
}

#[tokio::test]
async fn the_custodians_half_is_in_no_file_once_its_set_is_retired() {
    let service = Service::start().await;
    let sets = TwoSets::on(&service).await;
    service.wait(30 * DAY - 1).await;
    assert!(is_on_disk(&service, &sets.gone));
    service.wait(1).await;
    sets.expect_one_gone(service).await;
}

/// Whether some bytes are in any file of the folder: the end of them, which is of no page's head.
fn is_on_disk(service: &Service, bytes: &[u8]) -> bool {
    service.has_on_disk(&bytes[bytes.len() - 64..])
}

#[tokio::test]
async fn an_unproved_set_retires_nothing() {
    let service = Service::start().await;
    let device = service.device().await;
    let first = device.back_up(&service, &password(&device).await, None, true).await;
    let second = device.back_up(&service, &password(&device).await, Some(&first), false).await;
    service.wait(400 * DAY).await;
    assert_eq!(device.backups(&service).await, [second.clone(), first.clone()]);
    let shared = service.running.service();
    let mut write = shared.store.write().await.unwrap();
    write.prove_backup(&device.context.client, &second, shared.now()).await.unwrap();
    write.commit().await.unwrap();
    service.wait(30 * DAY).await;
    assert_eq!(device.backups(&service).await, [second]);
}

#[tokio::test]
async fn sets_of_several_methods_live_side_by_side() {
    let service = Service::start().await;
    let device = service.device().await;
    let by_password = device.back_up(&service, &password(&device).await, None, true).await;
    let drive = device.enroll(MethodId::GDRIVE).await;
    let by_drive = device.back_up(&service, &drive, None, true).await;
    service.wait(400 * DAY).await;
    let view = device.view(&service).await;
    assert_eq!(device.backups(&service).await, [by_drive, by_password]);
    assert!(view.backups.iter().all(|set| set.head));
}

#[tokio::test]
async fn a_pending_set_expires_after_a_week() {
    let service = Service::start().await;
    let device = service.device().await;
    let begun = device.begin(service.running.service(), &password(&device).await).await;
    device.store(&service, &begun).await.is_done();
    service.wait(7 * DAY - 1).await;
    assert_eq!(device.backups(&service).await.len(), 1);
    service.wait(1).await;
    assert!(device.backups(&service).await.is_empty());
    let commit = device.commit_of(&begun, None, true);
    device.commit(&service, &begun.id, &commit).await.is_error(404, ErrorId::NotFound);
}

#[tokio::test]
async fn a_pending_set_is_dropped_and_a_completed_one_is_not() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = password(&device).await;
    let begun = device.begin(service.running.service(), &sealer).await;
    device.drop_pending(&service, &begun.id).await.is_done();
    device.drop_pending(&service, &begun.id).await.is_done();
    assert!(device.backups(&service).await.is_empty());
    let id = device.back_up(&service, &sealer, None, true).await;
    device.drop_pending(&service, &id).await.is_error(409, ErrorId::StateInvalid);
    assert_eq!(device.backups(&service).await, [id]);
}

#[tokio::test]
async fn a_set_is_revoked_at_once_while_another_proved_one_stays() {
    let service = Service::start().await;
    let device = service.device().await;
    let sealer = password(&device).await;
    let first = device.back_up(&service, &sealer, None, true).await;
    device.revoke(&service, &[&first]).await.is_error(409, ErrorId::StateInvalid);
    let second = device.back_up(&service, &sealer, Some(&first), true).await;
    let envelope = device.get(&service, &route::envelope(&first)).await.body;
    device.revoke(&service, &[&first]).await.is_done();
    device.revoke(&service, &[&first]).await.is_done();
    assert_eq!(device.backups(&service).await, std::slice::from_ref(&second));
    assert!(!is_on_disk(&service, &envelope));
    let answer = device.revoke(&service, &[&second]).await;
    answer.is_error(409, ErrorId::StateInvalid);
    assert_eq!(device.backups(&service).await, [second]);
}

#[tokio::test]
async fn a_pending_set_is_not_revoked() {
    let service = Service::start().await;
    let device = service.device().await;
    let begun = device.begin(service.running.service(), &password(&device).await).await;
    device.revoke(&service, &[&begun.id]).await.is_error(409, ErrorId::StateInvalid);
    device.revoke(&service, &[]).await.is_done();
}

#[tokio::test]
async fn nobody_sees_or_touches_the_sets_of_another_client() {
    let service = Service::start().await;
    let (device, other) = (service.device().await, service.device().await);
    let id = device.back_up(&service, &password(&device).await, None, true).await;
    let path = route::envelope(&id);
    other.get(&service, &path).await.is_error(404, ErrorId::NotFound);
    other.drop_pending(&service, &id).await.is_done();
    other.revoke(&service, &[&id]).await.is_done();
    let begun = device.begin(service.running.service(), &password(&device).await).await;
    other.store(&service, &begun).await.is_error(404, ErrorId::NotFound);
    let commit = device.commit_of(&begun, Some(&id), true);
    other.commit(&service, &begun.id, &commit).await.is_error(404, ErrorId::NotFound);
    assert_eq!(device.backups(&service).await, [begun.id, id]);
}
