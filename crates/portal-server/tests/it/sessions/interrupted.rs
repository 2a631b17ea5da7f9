//! Sessions that the service could not go on with, or not at once.

use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use backup_core::BackupId;
use portal_api::{DeviceKey, ErrorId};
use portal_mpc::{Curves, Operation};
use portal_server::effects::Effect;

use crate::{
    common::Service,
    wallet::{device_key, generate, generating, live, recovering, view},
    wire::{Begun, User},
};

/// A service that fails at the commit which the counter counts down to.
async fn failing(countdown: &Arc<AtomicUsize>) -> Service {
    let countdown = Arc::clone(countdown);
    let observer = move |effect| {
        if effect == Effect::Commit && countdown.fetch_sub(1, Ordering::SeqCst) == 1 {
            panic!("the process ends here, as far as this request can tell");
        }
    };
    Service::start_with(|options| options.observer = Arc::new(observer)).await
}

/// Goes through a session of which both posts are sent away once.
async fn sent_away_twice<O: Operation<Error: Debug>>(
    service: &Service,
    user: &User,
    key: &DeviceKey,
    begun: Begun<'_, O>,
) {
    let place = service.running.service().costly.place().await.unwrap();
    begun.post.send(service, user, key).await.is_error(503, ErrorId::Error);
    drop(place);
    let continued = begun.open(service, user, key).await.unwrap();
    let place = service.running.service().costly.place().await.unwrap();
    continued.post.send(service, user, key).await.is_error(503, ErrorId::Error);
    drop(place);
    continued.close(service, user, key).await.unwrap();
}

#[tokio::test]
async fn a_service_that_is_busy_says_so_and_the_session_goes_on_later() {
    let service = Service::start_with(|options| {
        options.limits.costly = 1;
        options.limits.costly_wait = Duration::from_millis(10);
    })
    .await;
    let user = User::new(&service).await;
    let key = device_key();
    sent_away_twice(&service, &user, &key, generating(&user, &key, Curves::ED25519)).await;

    let user = User::new(&service).await;
    let wallet = live(&service, &user).await;
    let late = BackupId::new("b1").unwrap();
    sent_away_twice(&service, &user, &wallet.key, wallet.backing_up(&user, &late)).await;
    let (backup, key) = (wallet.back_up(&service, &user).await, device_key());
    sent_away_twice(&service, &user, &key, recovering(&user, &key, &backup)).await;
}

#[tokio::test]
async fn a_first_post_that_was_cut_off_is_repeated() {
    let countdown = Arc::new(AtomicUsize::new(usize::MAX));
    let service = failing(&countdown).await;
    let user = User::new(&service).await;
    let key = device_key();
    let begun = generating(&user, &key, Curves::ED25519);
    countdown.store(1, Ordering::SeqCst);
    begun.post.send(&service, &user, &key).await.is_error(500, ErrorId::InternalError);
    begun.run(&service, &user, &key).await.unwrap();
}

/// The first commit of a second post takes the state out, the second stores what came of it.
#[tokio::test]
async fn a_second_post_that_was_cut_off_is_repeated_before_the_state_was_taken_and_over_after() {
    for (commit, again) in [(1, None), (2, Some(ErrorId::NotFound))] {
        let countdown = Arc::new(AtomicUsize::new(usize::MAX));
        let service = failing(&countdown).await;
        let user = User::new(&service).await;
        let key = device_key();
        let begun = generating(&user, &key, Curves::ED25519);
        let continued = begun.open(&service, &user, &key).await.unwrap();
        countdown.store(commit, Ordering::SeqCst);
        let cut_off = continued.post.send(&service, &user, &key).await;
        cut_off.is_error(500, ErrorId::InternalError);
        assert!(view(&service, &user).await.pending_signing.is_empty());
        assert_eq!(continued.close(&service, &user, &key).await.err(), again);
        generate(&service, &user, Curves::ED25519).await.unwrap();
    }
}

#[tokio::test]
async fn a_confirmation_that_was_cut_off_is_made_by_another_session() {
    let countdown = Arc::new(AtomicUsize::new(usize::MAX));
    let service = failing(&countdown).await;
    let user = User::new(&service).await;
    let new = generate(&service, &user, Curves::ED25519).await.unwrap();
    let continued = new.confirming(&user).open(&service, &user, &new.key).await.unwrap();
    countdown.store(2, Ordering::SeqCst);
    let cut_off = continued.post.send(&service, &user, &new.key).await;
    cut_off.is_error(500, ErrorId::InternalError);
    assert!(view(&service, &user).await.signing.is_none());
    let wallet = new.confirm(&service, &user).await.unwrap();
    wallet.sign(&service, &user).await.unwrap();
}
