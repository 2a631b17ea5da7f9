//! What makes a signing set live, and what does not.

use portal_api::ErrorId;
use portal_mpc::Curves;

use super::second_posts::reseal;
use crate::{
    common::Service,
    wallet::{generate, live, recover, view},
    wire::User,
};

#[tokio::test]
async fn a_set_that_is_live_is_confirmed_again_and_nothing_changes() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let new = generate(&service, &user, Curves::ED25519).await.unwrap();
    let lost = new.confirming(&user).open(&service, &user, &new.key).await.unwrap();
    assert!(lost.post.send(&service, &user, &new.key).await.status.is_success());
    let seen = view(&service, &user).await;
    let wallet = new.confirm(&service, &user).await.unwrap();
    assert_eq!(view(&service, &user).await, seen);
    wallet.confirming(&user).run(&service, &user, &wallet.key).await.unwrap();
    assert_eq!(view(&service, &user).await, seen);
    wallet.sign(&service, &user).await.unwrap();
}

#[tokio::test]
async fn of_two_devices_that_recover_one_wins() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let backup = live(&service, &user).await.back_up(&service, &user).await;
    let fast = recover(&service, &user, &backup).await.unwrap();
    let slow = recover(&service, &user, &backup).await.unwrap();
    let late = slow.confirming(&user).open(&service, &user, &slow.key).await.unwrap();
    let fast = fast.confirm(&service, &user).await.unwrap();
    let error = late.close(&service, &user, &slow.key).await.unwrap_err();
    assert_eq!(error, ErrorId::StateInvalid);
    assert_eq!(slow.confirm(&service, &user).await.err(), Some(ErrorId::StateInvalid));
    fast.sign(&service, &user).await.unwrap();
    let again = recover(&service, &user, &backup).await.unwrap();
    again.confirm(&service, &user).await.unwrap().sign(&service, &user).await.unwrap();
}

/// The last thing in the second post is the device's part of the signature on the last curve.
#[tokio::test]
async fn a_false_test_signature_on_a_recovered_set_is_refused_and_loses_nothing() {
    for curves in [Curves::ED25519, Curves::SECP256K1] {
        let service = Service::start().await;
        let user = User::new(&service).await;
        let new = generate(&service, &user, curves).await.unwrap();
        let old = new.confirm(&service, &user).await.unwrap();
        let backup = old.back_up(&service, &user).await;
        let seen = view(&service, &user).await;
        let recovered = recover(&service, &user, &backup).await.unwrap();
        let begun = recovered.confirming(&user);
        let begun = begun.open(&service, &user, &recovered.key).await.unwrap();
        let mut message = begun.post.message().to_vec();
        let last = message.len() - 32 - 1;
        message[last] ^= 1;
        let forged = begun.post.with_message(&reseal(&message, begun.advanced.secret()));
        let answer = forged.send(&service, &user, &recovered.key).await;
        answer.is_error(400, ErrorId::SignFailed);

        let now = view(&service, &user).await;
        assert_eq!(now.signing, seen.signing, "the old set is live");
        assert_eq!(now.backups, seen.backups, "nothing was proved by it");
        old.sign(&service, &user).await.unwrap();
        let error = begun.close(&service, &user, &recovered.key).await.unwrap_err();
        assert_eq!(error, ErrorId::NotFound);
        assert_eq!(now.pending_signing.len(), 1, "the new set still waits for a right one");
        recovered.confirm(&service, &user).await.unwrap().sign(&service, &user).await.unwrap();
    }
}

#[tokio::test]
async fn a_set_that_waits_for_an_hour_is_gone() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let new = generate(&service, &user, Curves::ED25519).await.unwrap();
    service.wait(60 * 60).await;
    assert_eq!(new.confirm(&service, &user).await.err(), Some(ErrorId::NotFound));
}

#[tokio::test]
async fn a_confirmed_recovery_destroys_the_set_that_it_replaces_and_proves_its_backup() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let lost = live(&service, &user).await;
    let open = lost.signing(&user).open(&service, &user, &lost.key).await.unwrap();
    let backup = lost.back_up(&service, &user).await;
    let new = recover(&service, &user, &backup).await.unwrap();
    let seen = view(&service, &user).await;
    assert_eq!(seen.pending_signing[0].replaces, Some(lost.key.public()));
    assert!(!seen.backups[0].proved);
    new.confirm(&service, &user).await.unwrap();
    let seen = view(&service, &user).await;
    assert!(seen.pending_signing.is_empty() && seen.backups[0].proved);
    assert!(seen.backups[0].envelope_sha256.is_some());

    assert_eq!(lost.sign(&service, &user).await, Err(ErrorId::SignShareMismatch));
    let error = lost.begin_backup(&service, &user, "b2").await.err();
    assert_eq!(error, Some(ErrorId::SignShareMismatch));
    let error = lost.confirming(&user).run(&service, &user, &lost.key).await.err();
    assert_eq!(error, Some(ErrorId::SignShareMismatch));
    let error = open.close(&service, &user, &lost.key).await.unwrap_err();
    assert_eq!(error, ErrorId::NotFound);
}
