//! Backups as sessions make and use them.

use backup_core::BackupId;
use portal_api::{BackupStatus, ErrorId, FirstPost};
use portal_mpc::Curves;

use crate::{
    common::Service,
    wallet::{BackedUp, device_key, generate, live, recover, recovering, view},
    wire::{Post, User},
};

#[tokio::test]
async fn a_backup_set_waits_and_displaces_the_one_before_of_its_method() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    for id in ["b1", "b2", "b2"] {
        wallet.begin_backup(&service, &user, id).await.unwrap();
        let seen = view(&service, &user).await;
        let [set] = &seen.backups[..] else { panic!("{seen:?}") };
        assert_eq!((set.id.as_str(), set.status), (id, BackupStatus::Pending));
        assert_eq!(set.device_key, wallet.key.public());
    }
}

#[tokio::test]
async fn a_completed_backup_set_is_made_no_second_time() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let late = wallet.backing_up(&user, &BackupId::new("b1").unwrap());
    let late = late.open(&service, &user, &wallet.key).await.unwrap();
    let backup = wallet.back_up(&service, &user).await;
    let again = wallet.begin_backup(&service, &user, "b1").await.err();
    assert_eq!(again, Some(ErrorId::StateInvalid));
    let error = late.close(&service, &user, &wallet.key).await.unwrap_err();
    assert_eq!(error, ErrorId::StateInvalid);
    let new = recover(&service, &user, &backup).await.unwrap();
    new.confirm(&service, &user).await.unwrap();
}

#[tokio::test]
async fn a_recovery_starts_from_a_completed_set_of_the_client_and_all_its_curves() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let new = generate(&service, &user, Curves::BOTH).await.unwrap();
    let wallet = new.confirm(&service, &user).await.unwrap();
    let mut backup = wallet.begin_backup(&service, &user, "b1").await.unwrap();
    let pending = recover(&service, &user, &backup).await.err();
    assert_eq!(pending, Some(ErrorId::StateInvalid));
    wallet.complete(&service, &user, &backup, None).await;
    let other = User::new(&service).await;
    let foreign = recover(&service, &other, &backup).await.err();
    assert_eq!(foreign, Some(ErrorId::NotFound));
    backup.names.secp256k1 = None;
    backup.shares.secp256k1 = None;
    let part = recover(&service, &user, &backup).await.err();
    assert_eq!(part, Some(ErrorId::BadRequest));
}

#[tokio::test]
async fn halves_of_two_backups_do_not_recover() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let first = wallet.back_up(&service, &user).await;
    let second = wallet.begin_backup(&service, &user, "b2").await.unwrap();
    wallet.complete(&service, &user, &second, Some(&first.id)).await;
    let mixed = BackedUp { shares: second.shares, ..first };
    let error = recover(&service, &user, &mixed).await.err();
    assert_eq!(error, Some(ErrorId::DkgRefreshMismatch));
}

#[tokio::test]
async fn at_most_four_recovered_sets_wait_and_the_oldest_goes() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let backup = live(&service, &user).await.back_up(&service, &user).await;
    let mut keys = Vec::new();
    for _ in 0..5 {
        keys.push(recover(&service, &user, &backup).await.unwrap().key.public());
    }
    let waiting = view(&service, &user).await.pending_signing;
    let waiting: Vec<_> = waiting.into_iter().map(|set| set.device_key).collect();
    keys.reverse();
    assert_eq!(waiting, keys[..4]);
}

#[tokio::test]
async fn a_backup_that_was_revoked_meanwhile_recovers_nothing() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let backup = live(&service, &user).await.back_up(&service, &user).await;
    let key = device_key();
    let late = recovering(&user, &key, &backup).open(&service, &user, &key).await.unwrap();
    let mut write = service.running.service().store.write().await.unwrap();
    write.delete_backup(&user.context.client, &backup.id).await.unwrap();
    write.commit().await.unwrap();
    let error = late.close(&service, &user, &key).await.unwrap_err();
    assert_eq!(error, ErrorId::NotFound);
}

#[tokio::test]
async fn a_recovery_is_signed_by_the_key_of_the_new_set() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let backup = wallet.back_up(&service, &user).await;
    let begun = recovering(&user, &wallet.key, &backup);
    let in_use = begun.post.send(&service, &user, &wallet.key).await;
    in_use.is_error(409, ErrorId::StateInvalid);
    let key = device_key();
    let begun = recovering(&user, &key, &backup);
    let head = FirstPost::Recover { pairs: backup.names.clone(), device_key: key.public() };
    let post = Post::first(&head, begun.started.secret(), begun.post.message());
    post.send(&service, &user, &wallet.key).await.is_error(409, ErrorId::SignShareMismatch);
    post.send(&service, &user, &key).await;
}
