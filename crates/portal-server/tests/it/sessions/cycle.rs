//! From a new wallet to one that was lost and came back.

use portal_api::{ErrorId, SigningStatus};
use portal_mpc::Curves;

use crate::{
    common::Service,
    wallet::{generate, recover, view},
    wire::User,
};

async fn a_wallet_comes_back(curves: Curves) {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let new = generate(&service, &user, curves).await.unwrap();
    assert!(view(&service, &user).await.signing.is_none());
    let lost = new.confirm(&service, &user).await.unwrap();
    lost.sign(&service, &user).await.unwrap();
    let backup = lost.back_up(&service, &user).await;

    let new = recover(&service, &user, &backup).await.unwrap();
    lost.sign(&service, &user).await.unwrap();
    let found = new.confirm(&service, &user).await.unwrap();
    assert_eq!(found.public_keys(), lost.public_keys());
    found.sign(&service, &user).await.unwrap();
    assert_eq!(lost.sign(&service, &user).await, Err(ErrorId::SignShareMismatch));

    let seen = view(&service, &user).await;
    let signing = seen.signing.unwrap();
    assert_eq!(signing.device_key, found.key.public());
    assert_eq!(signing.status, SigningStatus::Live);
    assert_eq!(signing.recovered_from, Some(backup.id));
    assert!(seen.backups[0].proved);
}

#[tokio::test]
async fn a_wallet_is_made_backed_up_lost_and_comes_back() {
    a_wallet_comes_back(Curves::ED25519).await;
}

#[tokio::test]
async fn the_wallets_of_both_curves_come_back_together() {
    a_wallet_comes_back(Curves::BOTH).await;
}
