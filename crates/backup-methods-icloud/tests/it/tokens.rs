//! Tokens that are good for one call: each is replaced by the answer, and one that is lost costs a
//! sign-in and nothing else.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, atomic::Ordering},
};

use backup_core::{
    Error, ErrorKind, KeyStore, Result, async_trait,
    secrecy::{ExposeSecret, SecretString},
};
use backup_methods_icloud::{
    Container, Environment, ICloudProblem, ICloudStore, MemoryTokens, TokenStore, WebAuthToken,
};
use backup_testkit::{
    icloud::{CONTAINER, ICloudCall, ICloudFault},
    yield_now,
};
use futures_util::future::join_all;

use crate::common::{ALICE, BOB, User, World, key, problem};

/// Keeps a token, and does with the next calls what a test wants.
#[derive(Debug, Default)]
struct Kept {
    tokens: MemoryTokens,
    saved: Mutex<Vec<String>>,
    loads: Mutex<VecDeque<Result<String, ErrorKind>>>,
    save_fails: Mutex<bool>,
}

impl Kept {
    async fn token(token: String) -> Arc<Self> {
        let kept = Self::default();
        kept.tokens.save(&token.into()).await.unwrap();
        Arc::new(kept)
    }

    fn saved(&self) -> Vec<String> {
        self.saved.lock().unwrap().clone()
    }
}

#[async_trait]
impl TokenStore for Kept {
    async fn load(&self) -> Result<Option<SecretString>> {
        match self.loads.lock().unwrap().pop_front() {
            Some(Ok(token)) => return Ok(Some(token.into())),
            Some(Err(kind)) => return Err(Error::new(kind, "the store of a test")),
            None => {}
        }
        self.tokens.load().await
    }

    async fn save(&self, token: &SecretString) -> Result<()> {
        if *self.save_fails.lock().unwrap() {
            return Err(Error::new(ErrorKind::Unavailable, "the store of a test is full"));
        }
        self.saved.lock().unwrap().push(token.expose_secret().to_owned());
        self.tokens.save(token).await
    }

    async fn clear(&self) -> Result<()> {
        self.tokens.clear().await
    }
}

fn signs_in_again(error: &Error) -> bool {
    error.kind() == ErrorKind::Unauthorized && problem(error) == &ICloudProblem::SignInNeeded
}

#[tokio::test]
async fn every_answers_token_is_kept_before_it_is_used() {
    let world = World::new();
    let kept = Kept::token(world.icloud.token(ALICE)).await;
    let store = world.store_with(kept.clone(), Arc::new(User::away()));
    let (name, _) = world.put(&store).await;
    store.get(&world.op(), &name).await.unwrap();
    store.list(&world.op(), &world.prefix()).await.unwrap();
    // The first one signed in, each other came with an answer.
    assert_eq!(kept.saved(), world.icloud.issued_tokens()[1..]);
    assert_eq!(kept.saved().len(), world.calls().len());
}

#[tokio::test]
async fn a_token_that_cannot_be_kept_is_not_relied_on() {
    let world = World::new();
    let kept = Kept::token(world.icloud.token(ALICE)).await;
    let store = world.store_with(kept.clone(), Arc::new(User::away()));
    let (name, made) = world.put(&store).await;
    *kept.save_fails.lock().unwrap() = true;
    let error = store.get(&world.op(), &name).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    *kept.save_fails.lock().unwrap() = false;
    assert!(signs_in_again(&store.list(&world.op(), &world.prefix()).await.unwrap_err()));
    assert_eq!(world.store().get(&world.op(), &name).await.unwrap(), made);
}

#[tokio::test]
async fn a_token_that_is_lost_with_an_answer_costs_a_sign_in_and_nothing_else() {
    let world = World::new();
    let (name, made) = world.put(&world.store()).await;
    world.icloud.inject(ICloudFault::lose_answer(ICloudCall::Create));
    let tokens = world.tokens(ALICE);
    let store = world.store_with(tokens.clone(), Arc::new(User::away()));
    let (other, kept) = (world.name(), key());
    let error = store.put(&world.op(), &other, &kept).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled, "the user is not asked to sign in again");
    assert!(tokens.load().await.unwrap().is_none(), "a token that is dead is kept");
    assert!(signs_in_again(&store.list(&world.op(), &world.prefix()).await.unwrap_err()));

    let user = Arc::new(User::signing_in(world.icloud.token(ALICE)));
    let store = world.store_with(tokens, user.clone());
    store.put(&world.op(), &other, &kept).await.unwrap();
    assert_eq!(user.asked.load(Ordering::Relaxed), 1);
    assert_eq!(world.icloud.records().len(), 2, "a create that was repeated made another record");
    for (name, key) in [(name, made), (other, kept)] {
        assert_eq!(store.get(&world.op(), &name).await.unwrap(), key);
    }
}

#[tokio::test]
async fn one_put_signs_in_again_and_finds_what_it_made_before() {
    let world = World::new();
    world.put(&world.store()).await;
    world.icloud.inject(ICloudFault::lose_answer(ICloudCall::Create));
    let user = Arc::new(User::signing_in(world.icloud.token(ALICE)));
    let store = world.store_with(world.tokens(ALICE), user.clone());
    let (name, kept) = world.put(&store).await;
    assert_eq!(user.asked.load(Ordering::Relaxed), 1);
    assert_eq!(world.icloud.records().len(), 2);
    assert_eq!(store.get(&world.op(), &name).await.unwrap(), kept);
}

#[tokio::test]
async fn calls_at_the_same_time_use_no_token_twice() {
    let world = World::new();
    let store = world.store();
    let names: Vec<_> = (0..10).map(|_| world.name()).collect();
    let put = async |name| store.put(&world.op(), name, &key()).await.unwrap();
    join_all(names.iter().map(put)).await;
    assert_eq!(store.list(&world.op(), &world.prefix()).await.unwrap().len(), 10);
}

/// Comes to its end when the double has been called.
async fn called(world: &World) {
    while world.calls().is_empty() {
        yield_now().await;
    }
}

#[tokio::test]
async fn whoever_drops_a_call_stays_signed_in() {
    let world = World::new();
    let store = world.store();
    let (name, kept) = world.put(&store).await;
    let mut dropped = 0;
    for _ in 0..20 {
        world.icloud.forget_calls();
        let op = world.op();
        tokio::select! {
            biased;
            () = called(&world) => dropped += 1,
            _ = store.get(&op, &name) => {}
        }
        assert_eq!(store.get(&op, &name).await.unwrap(), kept, "signed out by a drop");
    }
    assert!(dropped > 0, "nothing was dropped between a call and its answer");
}

#[tokio::test]
async fn a_token_that_another_process_replaced_is_looked_for_again() {
    let world = World::new();
    let (name, made) = world.put(&world.store()).await;
    let (used, newer) = (world.icloud.token(ALICE), world.icloud.token(ALICE));
    let kept = Kept::token(used.clone()).await;
    let store = world.store_with(kept.clone(), Arc::new(User::away()));
    store.get(&world.op(), &name).await.unwrap();
    kept.tokens.save(&newer.into()).await.unwrap();
    kept.loads.lock().unwrap().push_back(Ok(used));
    assert_eq!(store.get(&world.op(), &name).await.unwrap(), made);
}

#[tokio::test]
async fn what_was_kept_and_is_damaged_lets_the_user_sign_in_again() {
    let world = World::new();
    let (name, made) = world.put(&world.store()).await;
    let kept = Arc::new(Kept::default());
    kept.loads.lock().unwrap().extend([Err(ErrorKind::Damaged), Err(ErrorKind::Damaged)]);
    let user = Arc::new(User::signing_in(world.icloud.token(ALICE)));
    let store = world.store_with(kept, user);
    assert_eq!(store.get(&world.op(), &name).await.unwrap(), made);
}

#[tokio::test]
async fn the_user_is_asked_to_sign_in_for_a_backup_and_not_for_looking_around() {
    let world = World::new();
    let (name, made) = world.put(&world.store()).await;
    let user = Arc::new(User::signing_in(world.icloud.token(ALICE)));
    let store = world.store_with(Arc::new(MemoryTokens::default()), user.clone());
    let op = world.op();
    store.check(&op).await.unwrap();
    let refused = [
        store.list(&op, &world.prefix()).await.unwrap_err(),
        store.delete(&op, &name).await.unwrap_err(),
        store.user().await.unwrap_err(),
    ];
    assert!(refused.iter().all(signs_in_again), "{refused:?}");
    assert_eq!(user.asked.load(Ordering::Relaxed), 0);
    world.client.progress.take();
    assert_eq!(store.get(&op, &name).await.unwrap(), made);
    assert_eq!(user.asked.load(Ordering::Relaxed), 1);
    assert_eq!(world.client.progress.take().len(), 2, "waiting, and answered");
}

#[tokio::test]
async fn a_device_that_signs_in_by_itself_does_so_wherever_it_has_to() {
    let world = World::new();
    let (name, _) = world.put(&world.store()).await;
    let tokens = Arc::new(MemoryTokens::default());
    let user = Arc::new(User::signing_in(world.icloud.token(ALICE)).silent());
    let store = world.store_with(tokens, user.clone());
    world.client.progress.take();
    assert_eq!(store.list(&world.op(), &world.prefix()).await.unwrap(), [name]);
    assert_eq!(user.asked.load(Ordering::Relaxed), 1);
    assert!(world.client.progress.take().is_empty(), "nobody was waited for");
}

#[tokio::test]
async fn a_user_who_declines_changes_nothing() {
    let world = World::new();
    let store = world.store_with(Arc::new(MemoryTokens::default()), Arc::new(User::away()));
    let put = store.put(&world.op(), &world.name(), &key()).await;
    assert_eq!(put.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(world.icloud.records().is_empty());
}

#[tokio::test]
async fn tokens_that_ran_out_are_replaced_by_one_sign_in_for_all_calls() {
    let world = World::new();
    let tokens = world.tokens(ALICE);
    world.icloud.expire_tokens();
    let user = Arc::new(User::signing_in(world.icloud.token(ALICE)));
    let store = world.store_with(tokens, user.clone());
    let names = [world.name(), world.name(), world.name()];
    let put = async |name| store.put(&world.op(), name, &key()).await.unwrap();
    join_all(names.iter().map(put)).await;
    assert_eq!(user.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_sign_in_that_apple_does_not_take_is_not_asked_for_twice() {
    let world = World::new();
    let user = Arc::new(User::signing_in("not-a-token-of-apples".to_owned()));
    let store = world.store_with(Arc::new(MemoryTokens::default()), user.clone());
    let error = store.put(&world.op(), &world.name(), &key()).await.unwrap_err();
    assert!(signs_in_again(&error), "{error:?}");
    assert_eq!(user.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn every_way_to_say_that_somebody_has_to_sign_in_is_understood() {
    let page = r#""redirectURL":"https://idmsa.apple.com/signin?flow=1""#;
    let answers = [
        (421, format!(r#"{{"serverErrorCode":"AUTHENTICATION_REQUIRED",{page}}}"#)),
        (401, r#"{"serverErrorCode":"AUTHENTICATION_FAILED"}"#.to_owned()),
        (401, r#"{"serverErrorCode":"SIGN_IN_FAILED"}"#.to_owned()),
    ];
    for (status, body) in answers {
        let world = World::new();
        let (name, made) = world.put(&world.store()).await;
        world.icloud.inject(ICloudFault::answer(ICloudCall::Lookup, status, body));
        let user = Arc::new(User::signing_in(world.icloud.token(ALICE)));
        let store = world.store_with(world.tokens(ALICE), user.clone());
        assert_eq!(store.get(&world.op(), &name).await.unwrap(), made);
        assert_eq!(user.asked.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn an_api_token_that_apple_does_not_know_is_the_developers_to_mend() {
    let world = World::new();
    let container = Container::new(CONTAINER, Environment::Development, "0123").unwrap();
    let container = container.at(world.icloud.url()).unwrap();
    let user = Arc::new(User::away());
    let store = ICloudStore::new(container, world.tokens(ALICE), user.clone()).unwrap();
    let error = store.put(&world.op(), &world.name(), &key()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let reason = "AUTHENTICATION_FAILED".to_owned();
    assert_eq!(problem(&error), &ICloudProblem::AppRefused { reason });
    assert_eq!(user.asked.load(Ordering::Relaxed), 0);
}

#[test]
fn what_no_token_is_is_not_taken_for_one() {
    let long = "a".repeat(WebAuthToken::MAX_LEN + 1);
    for text in ["", "a b", "a\n", "ä", &long] {
        let error = WebAuthToken::new(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(WebAuthToken::new(&long[1..]).unwrap().expose(), &long[1..]);
    assert_eq!(format!("{:?}", WebAuthToken::new("54__a").unwrap()), "WebAuthToken([REDACTED])");
}

#[tokio::test]
async fn whoever_signs_in_on_the_way_is_the_one_who_is_expected_or_gets_no_key() {
    let world = World::new();
    let expected = world.icloud.user(ALICE);
    let store_for = |account| {
        let (tokens, user) = (Arc::new(MemoryTokens::default()), world.icloud.token(account));
        let store = world.store_with(tokens.clone(), Arc::new(User::signing_in(user)));
        (tokens, store.of_user(&expected).unwrap())
    };
    let (tokens, store) = store_for(BOB);
    let error = store.put(&world.op(), &world.name(), &key()).await.unwrap_err();
    assert_eq!(problem(&error), &ICloudProblem::OtherAccount);
    assert!(tokens.load().await.unwrap().is_none(), "somebody else stays signed in");
    assert_eq!(world.icloud.records().len(), 0);
    let (tokens, store) = store_for(ALICE);
    world.put(&store).await;
    assert!(tokens.load().await.unwrap().is_some());
}
