//! What may be signed.

use portal_api::{ErrorId, FirstPost, PerCurve, SignPayload};
use portal_mpc::{ByCurve, Payload, Sign, SignRequest};

use crate::{
    common::Service,
    wallet::{DIGEST, Wallet, live},
    wire::{Begun, Post, User},
};

async fn refused(service: &Service, user: &User, wallet: &Wallet, payloads: PerCurve<SignPayload>) {
    let begun = wallet.signing(user);
    let head = FirstPost::Sign { payloads };
    let post = Post::first(&head, begun.started.secret(), begun.post.message());
    post.send(service, user, &wallet.key).await.is_error(400, ErrorId::BadRequest);
}

#[tokio::test]
async fn a_digest_is_signed_on_one_curve_and_a_message_on_the_other() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let (digest, message) = (SignPayload::Digest(DIGEST), SignPayload::Message(vec![1]));
    let wrong = [
        PerCurve { secp256k1: None, ed25519: None },
        PerCurve { secp256k1: None, ed25519: Some(digest.clone()) },
        PerCurve { secp256k1: Some(message.clone()), ed25519: None },
        PerCurve { secp256k1: Some(digest), ed25519: Some(message) },
    ];
    for payloads in wrong {
        refused(&service, &user, &wallet, payloads).await;
    }
}

#[tokio::test]
async fn a_message_has_at_most_64_kib() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let longest = vec![7; SignPayload::MAX_MESSAGE_LEN];
    sign(&user, &wallet, &longest).run(&service, &user, &wallet.key).await.unwrap();
    let longer = vec![7; SignPayload::MAX_MESSAGE_LEN + 1];
    let error = sign(&user, &wallet, &longer).run(&service, &user, &wallet.key).await.err();
    assert_eq!(error, Some(ErrorId::BadRequest));
}

#[tokio::test]
async fn both_sides_sign_the_same_or_nothing() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let begun = wallet.signing(&user);
    let other = SignPayload::Message(b"what is not signed".to_vec());
    let head = FirstPost::Sign { payloads: PerCurve { secp256k1: None, ed25519: Some(other) } };
    let post = Post::first(&head, begun.started.secret(), begun.post.message());
    post.send(&service, &user, &wallet.key).await.is_error(400, ErrorId::SignFailed);
}

#[tokio::test]
async fn a_client_without_a_live_set_signs_nothing() {
    let service = Service::start().await;
    let (user, other) = (User::new(&service).await, User::new(&service).await);
    let wallet = live(&service, &user).await;
    assert_eq!(wallet.sign(&service, &other).await, Err(ErrorId::SignShareMismatch));
}

fn sign<'a>(user: &User, wallet: &'a Wallet, message: &'a [u8]) -> Begun<'a, Sign> {
    let context = portal_api::mpc_context(&user.context, &wallet.key.public());
    let share = wallet.shares.ed25519.as_ref().unwrap();
    let request = SignRequest { share, payload: Payload::Message(message) };
    let payload = SignPayload::Message(message.to_vec());
    let head = FirstPost::Sign { payloads: PerCurve { secp256k1: None, ed25519: Some(payload) } };
    Begun::new(&head, Sign::start(&context, ByCurve::ed25519(request)).unwrap())
}
