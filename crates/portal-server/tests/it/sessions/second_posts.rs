//! Second posts that are repeated, damaged, recorded, too late, or not the device's.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use portal_api::ErrorId;
use portal_mpc::Curves;
use portal_server::effects::Effect;
use tokio::task::JoinSet;

use crate::{
    common::{Service, http::Request},
    wallet::{device_key, generating, live, view},
    wire::{User, succeeded},
};

#[tokio::test]
async fn the_same_second_post_gets_the_same_reply_and_makes_nothing_twice() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let key = device_key();
    let begun = generating(&user, &key, Curves::ED25519);
    let continued = begun.open(&service, &user, &key).await.unwrap();
    let first = continued.post.send(&service, &user, &key).await;
    let seen = view(&service, &user).await;
    let again = continued.post.send(&service, &user, &key).await;
    assert!(first.status.is_success());
    assert_eq!(first.body, again.body);
    assert_eq!(view(&service, &user).await, seen);
    continued.finish(&again).unwrap();
}

#[tokio::test]
async fn another_second_post_ends_the_session() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let continued = wallet.signing(&user).open(&service, &user, &wallet.key).await.unwrap();
    let post = continued.post.clone();
    continued.close(&service, &user, &wallet.key).await.unwrap();
    let other = post.said_otherwise();
    other.send(&service, &user, &wallet.key).await.is_error(409, ErrorId::StateInvalid);
    post.send(&service, &user, &wallet.key).await.is_error(404, ErrorId::NotFound);
    wallet.sign(&service, &user).await.unwrap();
}

#[tokio::test]
async fn a_second_post_under_another_secret_ends_the_session() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let other = wallet.signing(&user);
    let continued = wallet.signing(&user).open(&service, &user, &wallet.key).await.unwrap();
    let message = reseal(continued.post.message(), other.started.secret());
    let mut foreign = continued.post.with_message(&message);
    foreign.body[..32].copy_from_slice(other.started.secret().expose());
    foreign.send(&service, &user, &wallet.key).await.is_error(409, ErrorId::StateInvalid);
    let error = continued.close(&service, &user, &wallet.key).await.unwrap_err();
    assert_eq!(error, ErrorId::NotFound);
}

#[tokio::test]
async fn a_damaged_second_post_is_sent_again_and_then_works() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let continued = wallet.signing(&user).open(&service, &user, &wallet.key).await.unwrap();
    let damaged = continued.post.damaged();
    let on_the_way = continued.post.signed(&user, &wallet.key);
    let on_the_way = on_the_way.body(portal_api::MEDIA_TYPE, damaged.body.clone());
    service.send(on_the_way).await.is_error(400, ErrorId::MessageMalformed);
    damaged.send(&service, &user, &wallet.key).await.is_error(400, ErrorId::MessageMalformed);
    continued.close(&service, &user, &wallet.key).await.unwrap();
}

#[tokio::test]
async fn a_second_post_that_its_device_did_not_sign_ends_nothing() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let thief = device_key();
    let continued = wallet.signing(&user).open(&service, &user, &wallet.key).await.unwrap();
    for post in [continued.post.clone(), continued.post.said_otherwise()] {
        post.send(&service, &user, &thief).await.is_error(409, ErrorId::SignShareMismatch);
    }
    let other = User::new(&service).await;
    let stranger = continued.post.send(&service, &other, &wallet.key).await;
    stranger.is_error(404, ErrorId::NotFound);
    continued.close(&service, &user, &wallet.key).await.unwrap();
}

#[tokio::test]
async fn a_second_post_fits_the_first_reply_that_it_answers_and_no_other() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let continued = wallet.signing(&user).open(&service, &user, &wallet.key).await.unwrap();
    for first_reply in [None, Some([7; 32])] {
        let recorded = crate::wire::Post { first_reply, ..continued.post.clone() };
        let answer = recorded.send(&service, &user, &wallet.key).await;
        answer.is_error(409, ErrorId::SignShareMismatch);
    }
    continued.close(&service, &user, &wallet.key).await.unwrap();
}

#[tokio::test]
async fn a_second_post_belongs_to_the_session_in_its_path() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let other = wallet.signing(&user).open(&service, &user, &wallet.key).await.unwrap();
    let continued = wallet.signing(&user).open(&service, &user, &wallet.key).await.unwrap();
    let mut astray = continued.post.clone();
    astray.path.clone_from(&other.post.path);
    astray.send(&service, &user, &wallet.key).await.is_error(400, ErrorId::BadRequest);
    let mut astray = wallet.signing(&user).post;
    astray.path.clone_from(&other.post.path);
    astray.send(&service, &user, &wallet.key).await.is_error(400, ErrorId::BadRequest);
    continued.close(&service, &user, &wallet.key).await.unwrap();
    other.close(&service, &user, &wallet.key).await.unwrap();
}

#[tokio::test]
async fn second_posts_at_the_same_time_run_the_step_once() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let key = device_key();
    let begun = generating(&user, &key, Curves::SECP256K1);
    let continued = begun.open(&service, &user, &key).await.unwrap();
    let answers = continued.post.send_at_once(&service, &user, &key, 8).await;
    let replies: Vec<_> = answers.into_iter().map(succeeded).collect();
    let refused: Vec<_> = replies.iter().filter_map(|reply| reply.as_ref().err()).collect();
    assert!(!refused.is_empty(), "all came one after the other");
    assert!(refused.iter().all(|id| **id == ErrorId::OperationInProgress), "{refused:?}");
    let sent: Vec<_> = replies.iter().filter_map(|reply| reply.as_ref().ok()).collect();
    assert!(sent.iter().all(|reply| reply.body == sent[0].body));
    let again = continued.post.send(&service, &user, &key).await;
    assert_eq!(again.body, sent[0].body);
    continued.finish(&again).unwrap();
}

/// Both have looked at the session, and wait for the one place where such steps run, before either
/// takes the state.
#[tokio::test]
async fn of_two_different_second_posts_at_once_one_is_answered_and_the_other_is_refused() {
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&commits);
    let service = Service::start_with(|options| {
        options.limits.costly = 1;
        options.metrics = Some(([127, 0, 0, 1], 0).into());
        options.observer = Arc::new(move |effect| {
            counted.fetch_add(usize::from(effect == Effect::Commit), Ordering::SeqCst);
        });
    })
    .await;
    let user = User::new(&service).await;
    let key = device_key();
    let continued = generating(&user, &key, Curves::ED25519).open(&service, &user, &key).await;
    let continued = continued.unwrap();
    let posts = [continued.post.clone(), continued.post.said_otherwise()];
    let place = service.running.service().costly.place().await.unwrap();
    let mut sent = JoinSet::new();
    for (at, post) in posts.iter().enumerate() {
        let url = service.url(&post.path);
        let Request { headers, body, .. } = post.signed(&user, &key);
        let request = Request { headers, body, ..Request::post("") };
        sent.spawn(async move { (at, request.send(&reqwest::Client::new(), &url).await) });
    }
    while !costly_waiting(&service).await.ends_with(" 2") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = commits.load(Ordering::SeqCst);
    drop(place);
    let answers = sent.join_all().await;
    let (answered, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|(_, answer)| answer.status.is_success());
    let ([(at, answered)], [(_, refused)]) = (&answered[..], &refused[..]) else {
        panic!("{answered:?} {refused:?}");
    };
    refused.is_error(409, ErrorId::StateInvalid);
    let made = commits.load(Ordering::SeqCst) - before;
    assert_eq!(made, 2, "the state is taken once, and once something comes of it");
    let again = posts[*at].send(&service, &user, &key).await;
    assert_eq!(again.body, answered.body);
    assert_eq!(view(&service, &user).await.pending_signing.len(), 1);
    continued.finish(&again).unwrap();
}

/// The metric of the steps that wait for a place.
async fn costly_waiting(service: &Service) -> String {
    let url = format!("http://{}/metrics", service.running.metrics_address().unwrap());
    let answer = Request::get("").send(&reqwest::Client::new(), &url).await;
    let mut lines = answer.text().lines();
    lines.find(|line| line.starts_with("portal_costly_waiting ")).unwrap().to_owned()
}

#[tokio::test]
async fn a_step_that_fails_ends_the_session_and_the_next_one_works() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let continued = wallet.signing(&user).open(&service, &user, &wallet.key).await.unwrap();
    let mut message = continued.post.message().to_vec();
    message[40] ^= 1;
    let wrong = continued.post.with_message(&reseal(&message, continued.advanced.secret()));
    wrong.send(&service, &user, &wallet.key).await.is_error(400, ErrorId::SignFailed);
    wrong.send(&service, &user, &wallet.key).await.is_error(404, ErrorId::NotFound);
    let error = continued.close(&service, &user, &wallet.key).await.unwrap_err();
    assert_eq!(error, ErrorId::NotFound);
    wallet.sign(&service, &user).await.unwrap();
}

#[tokio::test]
async fn a_restart_ends_every_session_and_no_wallet() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let begun = wallet.signing(&user);
    let first = begun.post.clone();
    let done = wallet.signing(&user).open(&service, &user, &wallet.key).await.unwrap();
    let second = done.post.clone();
    done.close(&service, &user, &wallet.key).await.unwrap();
    let continued = begun.open(&service, &user, &wallet.key).await.unwrap();
    let service = service.restart().await;
    for post in [first, second, continued.post.clone()] {
        post.send(&service, &user, &wallet.key).await.is_error(404, ErrorId::NotFound);
    }
    wallet.sign(&service, &user).await.unwrap();
}

#[tokio::test]
async fn a_session_is_over_after_ten_minutes() {
    let service = Service::start().await;
    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let (early, late) = (wallet.signing(&user), wallet.signing(&user));
    let first = late.post.clone();
    let early = early.open(&service, &user, &wallet.key).await.unwrap();
    let late = late.open(&service, &user, &wallet.key).await.unwrap();
    service.wait(10 * 60 - 1).await;
    early.close(&service, &user, &wallet.key).await.unwrap();
    service.wait(1).await;
    first.send(&service, &user, &wallet.key).await.is_error(404, ErrorId::NotFound);
    let error = late.close(&service, &user, &wallet.key).await.unwrap_err();
    assert_eq!(error, ErrorId::NotFound);
}

/// The message with a tag that is right again, as only who has the session's secret can make it.
pub fn reseal(message: &[u8], secret: &portal_mpc::SessionSecret) -> Vec<u8> {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;

    let mut key = [0; 32];
    let hkdf = hkdf::Hkdf::<Sha256>::new(None, secret.expose());
    hkdf.expand(b"portal-mpc/v1/tag", &mut key).unwrap();
    let content = &message[..message.len() - 32];
    let tag = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(content).finalize();
    [content, &tag.into_bytes()].concat()
}
