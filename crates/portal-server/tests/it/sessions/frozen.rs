//! Pairs of which a cheating device has learned something.

use portal_api::ErrorId;
use portal_mpc::{ByCurve, Curves, Server, Sign, StoredShare};

use super::second_posts::reseal;
use crate::{
    common::Service,
    wallet::{Wallet, device_key, generate, recover, view},
    wire::{Begun, Post, User},
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
    assert!(matches!(stored(&service, &user, &wallet).await, StoredShare::Frozen(_)));
    let service = service.restart().await;
    assert_eq!(wallet.sign(&service, &user).await, Err(ErrorId::StateInvalid));
    let again = wallet.confirming(&user).run(&service, &user, &wallet.key).await;
    assert_eq!(again.err(), Some(ErrorId::StateInvalid));

    let backup = wallet.back_up(&service, &user).await;
    let new = recover(&service, &user, &backup).await.unwrap();
    let found = new.confirm(&service, &user).await.unwrap();
    found.sign(&service, &user).await.unwrap();
}

/// The service's half, as it is stored.
async fn stored(service: &Service, user: &User, wallet: &Wallet) -> StoredShare<Server> {
    let service = service.running.service();
    let mut view = service.store.read().await.unwrap();
    let halves = view.signing_shares(&user.context.client, &wallet.key.public()).await.unwrap();
    let half = halves.unwrap().secp256k1.unwrap();
    service.custody.open_signing(&user.context, &half).await.unwrap()
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

#[tokio::test]
async fn a_device_that_cheats_on_one_curve_signs_on_the_other_as_before() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = wallet_on_both(&service, &user).await;
    let cheat = cheating(&wallet.signing(&user));
    cheat.send(&service, &user, &wallet.key).await.is_error(400, ErrorId::SignFailed);
    expect_frozen(&service, &user, ByCurve { secp256k1: Some(true), ed25519: Some(false) }).await;

    let Wallet { key, shares } = wallet;
    let ByCurve { secp256k1, ed25519 } = shares;
    let halves = [ByCurve { secp256k1: None, ed25519 }, ByCurve { secp256k1, ed25519: None }];
    let [other, frozen] = halves.map(|shares| {
        let key = portal_api::DeviceKey::from_bytes(key.expose());
        Wallet { key, shares }
    });
    other.sign(&service, &user).await.unwrap();
    assert_eq!(frozen.sign(&service, &user).await, Err(ErrorId::StateInvalid));
    let service = service.restart().await;
    other.sign(&service, &user).await.unwrap();
    assert_eq!(frozen.sign(&service, &user).await, Err(ErrorId::StateInvalid));
}

#[tokio::test]
async fn what_its_device_has_not_signed_or_sent_so_freezes_no_pair() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = wallet_on_both(&service, &user).await;
    let thief = device_key();
    let begun = wallet.signing(&user);
    let cheat = cheating(&begun);
    cheat.send(&service, &user, &thief).await.is_error(409, ErrorId::SignShareMismatch);
    let unsigned = cheat.signed(&user, &wallet.key).without("x-portal-device-signature");
    service.send(unsigned).await.is_error(400, ErrorId::BadRequest);
    let other_body = begun.post.signed(&user, &wallet.key);
    let other_body = other_body.body(portal_api::MEDIA_TYPE, cheat.body.clone());
    service.send(other_body).await.is_error(400, ErrorId::MessageMalformed);
    // The device's own post, with a bit that changed before it was signed: its tag says so.
    let mut message = begun.post.message().to_vec();
    message[ROW] ^= 1;
    let damaged = begun.post.with_message(&message);
    damaged.send(&service, &user, &wallet.key).await.is_error(400, ErrorId::MessageMalformed);
    let recorded = Post { first_reply: Some([7; 32]), ..cheat };
    let answer = recorded.send(&service, &user, &wallet.key).await;
    answer.is_error(409, ErrorId::SignShareMismatch);

    expect_frozen(&service, &user, ByCurve { secp256k1: Some(false), ed25519: Some(false) }).await;
    begun.run(&service, &user, &wallet.key).await.unwrap();
    wallet.sign(&service, &user).await.unwrap();
}

/// The second post of a signature on secp256k1 begins with what the device multiplies by.
#[tokio::test]
async fn a_device_that_cheats_in_its_second_post_freezes_its_pair_and_a_thief_does_not() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = wallet_on_both(&service, &user).await;
    let continued = wallet.signing(&user).open(&service, &user, &wallet.key).await.unwrap();
    let mut message = continued.post.message().to_vec();
    message[SECOND_ROW] ^= 1;
    let cheat = continued.post.with_message(&reseal(&message, continued.advanced.secret()));
    cheat.send(&service, &user, &device_key()).await.is_error(409, ErrorId::SignShareMismatch);
    let damaged = continued.post.with_message(&message);
    damaged.send(&service, &user, &wallet.key).await.is_error(400, ErrorId::MessageMalformed);
    expect_frozen(&service, &user, ByCurve { secp256k1: Some(false), ed25519: Some(false) }).await;

    cheat.send(&service, &user, &wallet.key).await.is_error(400, ErrorId::SignFailed);
    expect_frozen(&service, &user, ByCurve { secp256k1: Some(true), ed25519: Some(false) }).await;
    continued.post.send(&service, &user, &wallet.key).await.is_error(404, ErrorId::NotFound);
}

/// The place in a second message of a scalar of the multiplication: behind header, parties,
/// binding, two points, a scalar, two points, a salt, the number of rows, and the length of one.
const SECOND_ROW: usize = 36 + 2 + 32 + 2 * 34 + 33 + 2 * 34 + 65 + 1 + 2 + 20;

async fn wallet_on_both(service: &Service, user: &User) -> Wallet {
    let new = generate(service, user, Curves::BOTH).await.unwrap();
    new.confirm(service, user).await.unwrap()
}

/// The first post of a signature in which the device cheats on secp256k1.
fn cheating(begun: &Begun<'_, Sign>) -> Post {
    let mut message = begun.post.message().to_vec();
    message[ROW] ^= 1;
    begun.post.with_message(&reseal(&message, begun.started.secret()))
}

async fn expect_frozen(service: &Service, user: &User, frozen: ByCurve<bool>) {
    let pairs = view(service, user).await.signing.unwrap().pairs;
    assert_eq!(pairs.secp256k1.map(|pair| pair.frozen), frozen.secp256k1);
    assert_eq!(pairs.ed25519.map(|pair| pair.frozen), frozen.ed25519);
}
