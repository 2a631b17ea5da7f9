//! What generate leaves, and when it is refused.

use portal_api::{ErrorId, SigningStatus};
use portal_mpc::Curves;

use crate::{
    common::Service,
    wallet::{device_key, generate, generating, live, view},
    wire::User,
};

#[tokio::test]
async fn a_generated_set_waits_and_displaces_the_one_before() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let first = generate(&service, &user, Curves::ED25519).await.unwrap();
    let second = generate(&service, &user, Curves::ED25519).await.unwrap();
    let seen = view(&service, &user).await;
    let [waiting] = &seen.pending_signing[..] else { panic!("{seen:?}") };
    assert_eq!(waiting.device_key, second.key.public());
    assert_eq!(waiting.status, SigningStatus::Pending);
    assert_eq!(first.confirm(&service, &user).await.err(), Some(ErrorId::NotFound));
    second.confirm(&service, &user).await.unwrap();
}

#[tokio::test]
async fn generate_may_be_run_again_with_the_same_device_key() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let key = device_key();
    for _ in 0..2 {
        generating(&user, &key, Curves::ED25519).run(&service, &user, &key).await.unwrap();
    }
    assert_eq!(view(&service, &user).await.pending_signing.len(), 1);
}

#[tokio::test]
async fn a_client_with_a_live_set_generates_no_other() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let key = device_key();
    let begun = generating(&user, &key, Curves::ED25519);
    let late = begun.open(&service, &user, &key).await.unwrap();
    live(&service, &user).await;
    let error = generate(&service, &user, Curves::ED25519).await.err();
    assert_eq!(error, Some(ErrorId::StateInvalid));
    let error = late.close(&service, &user, &key).await.unwrap_err();
    assert_eq!(error, ErrorId::StateInvalid);
    assert!(view(&service, &user).await.pending_signing.is_empty());
}

#[tokio::test]
async fn a_device_key_names_one_set_only() {
    let service = Service::start().await;
    let (alice, bob) = (User::new(&service).await, User::new(&service).await);
    let key = device_key();
    generating(&alice, &key, Curves::ED25519).run(&service, &alice, &key).await.unwrap();
    let stolen = generating(&bob, &key, Curves::ED25519).run(&service, &bob, &key).await;
    assert_eq!(stolen.err(), Some(ErrorId::StateInvalid));
}
