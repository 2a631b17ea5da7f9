//! Pairs of which a cheating device has learned something.

use portal_api::ErrorId;
use portal_mpc::Curves;

use crate::{
    common::Service,
    second_posts::reseal,
    wallet::{generate, recover, view},
    wire::User,
};

/// The place in a first message, for secp256k1 alone, of a row of the oblivious-transfer extension:
/// behind header, nonce, pair, claim, and what stands before the rows.
const ROW: usize = 36 + 32 + 32 + 32 + (2 + 32 + 32 + 32) + 3 + 17;

#[tokio::test]
async fn a_cheating_device_freezes_its_pair_and_a_recovery_leads_out() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let new = generate(&service, &user, Curves::SECP256K1).await.unwrap();
    let wallet = new.confirm(&service, &user).await.unwrap();
    let begun = wallet.signing(&user);
    let mut message = begun.post.message().to_vec();
    message[ROW] ^= 1;
    let cheat = begun.post.with_message(&reseal(&message, begun.started.secret()));
    cheat.send(&service, &user, &wallet.key).await.is_error(400, ErrorId::SignFailed);

    let signing = view(&service, &user).await.signing.unwrap();
    assert!(signing.pairs.secp256k1.unwrap().frozen);
    let service = service.restart().await;
    assert_eq!(wallet.sign(&service, &user).await, Err(ErrorId::StateInvalid));
    let again = wallet.confirming(&user).run(&service, &user, &wallet.key).await;
    assert_eq!(again.err(), Some(ErrorId::StateInvalid));

    let backup = wallet.back_up(&service, &user).await;
    let new = recover(&service, &user, &backup).await.unwrap();
    let found = new.confirm(&service, &user).await.unwrap();
    found.sign(&service, &user).await.unwrap();
}

#[tokio::test]
async fn a_set_that_freezes_before_it_is_live_is_gone() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let new = generate(&service, &user, Curves::SECP256K1).await.unwrap();
    let begun = new.confirming(&user);
    let mut message = begun.post.message().to_vec();
    message[ROW - 32] ^= 1;
    let cheat = begun.post.with_message(&reseal(&message, begun.started.secret()));
    cheat.send(&service, &user, &new.key).await.is_error(400, ErrorId::SignFailed);
    assert!(view(&service, &user).await.pending_signing.is_empty());
    assert_eq!(new.confirm(&service, &user).await.err(), Some(ErrorId::NotFound));
}
