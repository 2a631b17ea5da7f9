//! First posts that are repeated, damaged, or not the device's.

use portal_api::{ErrorId, FirstPost, MEDIA_TYPE, PerCurve, PostFrame, content_digest};
use portal_mpc::Curves;

use super::marks::count;
use crate::{
    common::Service,
    wallet::{device_key, generating, live},
    wire::{Post, User, succeeded},
};

#[tokio::test]
async fn the_same_first_post_gets_the_same_reply() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let begun = wallet.signing(&user);
    let first = begun.post.send(&service, &user, &wallet.key).await;
    let again = begun.post.send(&service, &user, &wallet.key).await;
    assert!(first.status.is_success());
    assert_eq!(first.body, again.body);
    let continued = begun.advance(&again).unwrap();
    let post = continued.post.clone();
    continued.close(&service, &user, &wallet.key).await.unwrap();
    assert!(post.send(&service, &user, &wallet.key).await.status.is_success());
}

#[tokio::test]
async fn another_first_post_ends_the_session() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let begun = wallet.signing(&user);
    let first = begun.post.clone();
    let other = first.said_otherwise();
    let continued = begun.open(&service, &user, &wallet.key).await.unwrap();
    other.send(&service, &user, &wallet.key).await.is_error(409, ErrorId::StateInvalid);
    first.send(&service, &user, &wallet.key).await.is_error(404, ErrorId::NotFound);
    other.send(&service, &user, &wallet.key).await.is_error(409, ErrorId::StateInvalid);
    let error = continued.close(&service, &user, &wallet.key).await.unwrap_err();
    assert_eq!(error, ErrorId::NotFound);
    wallet.sign(&service, &user).await.unwrap();
}

#[tokio::test]
async fn a_first_post_that_its_device_did_not_sign_leaves_no_mark_and_ends_nothing() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let before = count(&service).await;
    let (thief, begun) = (device_key(), wallet.signing(&user));
    let stolen = begun.post.send(&service, &user, &thief).await;
    stolen.is_error(409, ErrorId::SignShareMismatch);
    let unsigned = begun.post.signed(&user, &thief).without("x-portal-device-signature");
    service.send(unsigned).await.is_error(400, ErrorId::BadRequest);
    assert_eq!(count(&service).await, before);

    let other = begun.post.said_otherwise();
    let continued = begun.open(&service, &user, &wallet.key).await.unwrap();
    other.send(&service, &user, &thief).await.is_error(409, ErrorId::SignShareMismatch);
    continued.close(&service, &user, &wallet.key).await.unwrap();
}

/// Whoever has the API key alone can sign posts by keys of its own.
#[tokio::test]
async fn a_first_post_of_another_device_under_the_same_id_ends_nothing() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let (key, thief) = (device_key(), device_key());
    let begun = generating(&user, &key, Curves::ED25519);
    let head = match serde_json::from_slice(begun.post.head()).unwrap() {
        FirstPost::Generate { curves, .. } => {
            FirstPost::Generate { curves, device_key: thief.public() }
        }
        other => panic!("{other:?}"),
    };
    let message = begun.post.message().to_vec();
    let theft = Post::first(&head, begun.started.secret(), &message);
    theft.send(&service, &user, &thief).await.is_error(400, ErrorId::DkgFailed);
    let continued = begun.open(&service, &user, &key).await.unwrap();
    theft.send(&service, &user, &thief).await.is_error(409, ErrorId::StateInvalid);
    continued.close(&service, &user, &key).await.unwrap();
}

#[tokio::test]
async fn a_damaged_first_post_is_sent_again_and_then_works() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let key = device_key();
    let begun = generating(&user, &key, Curves::ED25519);
    let damaged = begun.post.damaged();
    let as_signed = begun.post.signed(&user, &key);
    let on_the_way = as_signed.clone().body(MEDIA_TYPE, damaged.body.clone());
    service.send(on_the_way).await.is_error(400, ErrorId::MessageMalformed);
    damaged.send(&service, &user, &key).await.is_error(400, ErrorId::MessageMalformed);
    assert_eq!(count(&service).await, 0);
    begun.run(&service, &user, &key).await.unwrap();
}

#[tokio::test]
async fn what_is_no_first_post_of_its_head_is_a_bad_request() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let key = device_key();
    let begun = generating(&user, &key, Curves::ED25519);
    let wrong = [
        FirstPost::Confirm { device_key: key.public() },
        FirstPost::Generate { curves: none(), device_key: key.public() },
    ];
    for head in wrong {
        let post = Post::first(&head, begun.started.secret(), begun.post.message());
        post.send(&service, &user, &key).await.is_error(400, ErrorId::BadRequest);
    }
    let cut = Post { body: begun.post.body[..40].to_vec(), ..begun.post.clone() };
    cut.send(&service, &user, &key).await.is_error(400, ErrorId::BadRequest);
    let json = begun.post.signed(&user, &key).json("{}");
    let digest = content_digest(b"{}");
    service.send(json.with("content-digest", digest)).await.is_error(415, ErrorId::BadRequest);
    let long = Post { body: vec![0; PostFrame::MAX_LEN + 1], ..begun.post.clone() };
    long.send(&service, &user, &key).await.is_error(413, ErrorId::BadRequest);
    assert_eq!(count(&service).await, 0);
}

#[tokio::test]
async fn first_posts_at_the_same_time_make_one_session() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let key = device_key();
    let begun = generating(&user, &key, Curves::SECP256K1);
    let answers = begun.post.send_at_once(&service, &user, &key, 8).await;
    let replies: Vec<_> = answers.into_iter().map(succeeded).collect();
    let mut sent = replies.iter().filter_map(|reply| reply.as_ref().ok());
    let first = sent.next().expect("one is answered").body.clone();
    assert!(sent.all(|reply| reply.body == first));
    let refused = replies.iter().filter_map(|reply| reply.as_ref().err());
    assert!(refused.into_iter().all(|id| *id == ErrorId::OperationInProgress));
    assert_eq!(count(&service).await, 1);
}

fn none<T>() -> PerCurve<T> {
    PerCurve { secp256k1: None, ed25519: None }
}
