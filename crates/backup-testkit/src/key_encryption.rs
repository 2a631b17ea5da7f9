//! The rules for a [`KeyEncryption`] provider, one function each.
//!
//! [`key_encryption_conformance!`](crate::key_encryption_conformance) makes a test of each.

use backup_core::{DataKey, ErrorKind, KeyContext, KeyEncryption};

use crate::{
    LogCapture, Rule, Secrets,
    expect::{everything_in, must, must_fail},
};

/// A world of its own in which a provider is tried.
pub trait KeyEncryptionFixture: Send + Sync + Sized {
    /// The provider to be tried.
    type Provider: KeyEncryption + 'static;

    /// A fresh world.
    fn new() -> Self;

    /// A new handle to this world's key, as on another machine of the service.
    fn provider(&self) -> Self::Provider;

    /// A handle to another key.
    fn with_another_key(&self) -> Self::Provider;

    /// A handle that does not reach its back end.
    fn with_back_end_away(&self) -> Option<Self::Provider> {
        None
    }

    /// Runs a rule. A provider that needs a runtime brings it here.
    fn block_on<T>(&self, rule: impl Future<Output = T>) -> T {
        futures_executor::block_on(rule)
    }
}

/// Calls `$callback! { { $args } ; rule rule … }` with every rule for providers.
#[doc(hidden)]
#[macro_export]
macro_rules! __key_encryption_rules {
    ($callback:path { $($args:tt)* }) => {
        $callback! {
            { $($args)* };
            unwraps_what_it_wrapped
            unwraps_on_another_machine
            names_its_key
            wraps_differently_each_time
            wrapped_key_shows_no_secret
            another_context_is_unauthorized
            another_key_is_unauthorized
            tampering_is_unauthorized
            provider_that_is_away_is_unavailable
            data_keys_are_not_shown
        }
    };
}

/// Makes one test per rule for the provider of a [`KeyEncryptionFixture`].
#[macro_export]
macro_rules! key_encryption_conformance {
    ($fixture:ty) => {
        $crate::__key_encryption_rules! {
            $crate::__tests { $fixture; $crate::KeyEncryptionFixture; $crate::key_encryption }
        }
    };
}

/// Every rule for providers, by name: for a harness of one's own.
#[must_use]
pub fn rules<F: KeyEncryptionFixture>() -> Vec<Rule<F>> {
    __key_encryption_rules! { crate::__list { F } }
}

/// What was wrapped is unwrapped, with the same context however it was put together, and again.
pub async fn unwraps_what_it_wrapped(fixture: &impl KeyEncryptionFixture) {
    let (provider, key) = (fixture.provider(), data_key());
    for context in [context(), KeyContext::new()] {
        let wrapped = must(provider.wrap(&key, &context).await, WRAPS);
        for _ in 0..2 {
            assert_unwraps(&provider, &wrapped, &context, &key).await;
        }
    }
    let wrapped = must(provider.wrap(&key, &context()).await, WRAPS);
    let reordered = KeyContext::new().with("role", "custodian").with("pair", "p1");
    assert_unwraps(&provider, &wrapped, &reordered, &key).await;
}

/// Another handle to the same key, which has seen nothing, unwraps: machines come and go.
pub async fn unwraps_on_another_machine(fixture: &impl KeyEncryptionFixture) {
    let key = data_key();
    let wrapped = must(fixture.provider().wrap(&key, &context()).await, WRAPS);
    assert_unwraps(&fixture.provider(), &wrapped, &context(), &key).await;
}

/// The key id is the same by every handle and another for another key: by it a wrapped key finds
/// the provider that unwraps it.
pub async fn names_its_key(fixture: &impl KeyEncryptionFixture) {
    let (one, again, other) = (fixture.provider(), fixture.provider(), fixture.with_another_key());
    assert!(!one.key_id().is_empty(), "a key has no id");
    assert_eq!(one.key_id(), again.key_id(), "one key has two ids: what it wrapped is not found");
    assert_ne!(one.key_id(), other.key_id(), "two keys have one id: the wrong one is asked");
    must(one.wrap(&data_key(), &context()).await, WRAPS);
    assert_eq!(one.key_id(), again.key_id(), "a key's id changes with use");
}

/// Wrapping the same key twice yields different bytes: equal ones would tell of equal keys.
pub async fn wraps_differently_each_time(fixture: &impl KeyEncryptionFixture) {
    let (provider, key) = (fixture.provider(), data_key());
    let first = must(provider.wrap(&key, &context()).await, WRAPS);
    let second = must(provider.wrap(&key, &context()).await, WRAPS);
    assert!(first != second, "wrapping is deterministic: equal keys can be told");
}

/// The key does not stand in the wrapped bytes, raw or encoded.
pub async fn wrapped_key_shows_no_secret(fixture: &impl KeyEncryptionFixture) {
    let (provider, key) = (fixture.provider(), data_key());
    let wrapped = must(provider.wrap(&key, &context()).await, WRAPS);
    Secrets::new().with_key(key.expose()).assert_absent(wrapped, "a wrapped key");
}

/// Any other context is [`ErrorKind::Unauthorized`]: a fact changed, missing, added, renamed, or
/// its bytes moved to another fact.
pub async fn another_context_is_unauthorized(fixture: &impl KeyEncryptionFixture) {
    let provider = fixture.provider();
    let wrapped = must(provider.wrap(&data_key(), &context()).await, WRAPS);
    let others = [
        ("a fact is changed", context().with("pair", "p2")),
        ("a fact is missing", KeyContext::new().with("pair", "p1")),
        ("a fact is added", context().with("wallet", "")),
        ("a fact is renamed", KeyContext::new().with("pair", "p1").with("rolf", "custodian")),
        ("values are swapped", KeyContext::new().with("pair", "custodian").with("role", "p1")),
        ("bytes have moved", KeyContext::new().with("pair", "p1rolecustodian")),
        ("there are no facts", KeyContext::new()),
    ];
    for (what, other) in others {
        let unwrapped = provider.unwrap(&wrapped, &other).await;
        let meaning = format!("a share is given out for another purpose: {what}");
        must_fail(unwrapped, &[ErrorKind::Unauthorized], &meaning);
    }
}

/// Another key is [`ErrorKind::Unauthorized`].
pub async fn another_key_is_unauthorized(fixture: &impl KeyEncryptionFixture) {
    let wrapped = must(fixture.provider().wrap(&data_key(), &context()).await, WRAPS);
    let unwrapped = fixture.with_another_key().unwrap(&wrapped, &context()).await;
    must_fail(unwrapped, &[ErrorKind::Unauthorized], "another key unwraps, or does not say so");
}

/// Bytes changed, cut off, added or missing altogether are [`ErrorKind::Unauthorized`], and cause
/// no panic.
pub async fn tampering_is_unauthorized(fixture: &impl KeyEncryptionFixture) {
    let provider = fixture.provider();
    let good = must(provider.wrap(&data_key(), &context()).await, WRAPS);
    let step = good.len().div_ceil(MAX_SAMPLES).max(1);
    let mut samples = vec![Vec::new(), [&good[..], &[0]].concat()];
    for at in (0..good.len()).step_by(step) {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        samples.extend([flipped, good[..at].to_vec()]);
    }
    for sample in samples {
        let unwrapped = provider.unwrap(&sample, &context()).await;
        let meaning = "what was tampered with is not refused as such";
        must_fail(unwrapped, &[ErrorKind::Unauthorized], meaning);
    }
}

/// Both calls are [`ErrorKind::Unavailable`] while the back end is away: a share is not given up.
pub async fn provider_that_is_away_is_unavailable(fixture: &impl KeyEncryptionFixture) {
    let Some(away) = fixture.with_back_end_away() else { return };
    let wrapped = must(fixture.provider().wrap(&data_key(), &context()).await, WRAPS);
    let kinds = [ErrorKind::Unavailable];
    must_fail(away.wrap(&data_key(), &context()).await, &kinds, "a key that nobody wraps");
    let unwrapped = away.unwrap(&wrapped, &context()).await;
    must_fail(unwrapped, &kinds, "an outage looks like a lost share");
}

/// Neither `Debug`, nor an error, nor anything that is logged shows a data key.
pub async fn data_keys_are_not_shown(fixture: &impl KeyEncryptionFixture) {
    let logs = LogCapture::start();
    let (provider, key) = (fixture.provider(), data_key());
    let secrets = Secrets::new().with_key(key.expose());
    let wrapped = must(provider.wrap(&key, &context()).await, WRAPS);
    assert_unwraps(&provider, &wrapped, &context(), &key).await;
    secrets.assert_absent(format!("{provider:?} {provider:#?}"), "`Debug` of a provider");
    let unwrapped = [
        provider.unwrap(&wrapped, &KeyContext::new()).await,
        provider.unwrap(&wrapped[1..], &context()).await,
        fixture.with_another_key().unwrap(&wrapped, &context()).await,
    ];
    for error in unwrapped.into_iter().filter_map(Result::err) {
        secrets.assert_absent(everything_in(&error), "an error");
    }
    secrets.assert_absent(logs.text(), "a log");
}

async fn assert_unwraps(
    provider: &impl KeyEncryption,
    wrapped: &[u8],
    context: &KeyContext,
    key: &DataKey,
) {
    let unwrapped = must(provider.unwrap(wrapped, context).await, "a custodian share is lost");
    assert!(unwrapped.expose() == key.expose(), "another key is unwrapped: a share is lost");
}

fn data_key() -> DataKey {
    must(DataKey::generate(), "no randomness")
}

fn context() -> KeyContext {
    KeyContext::new().with("pair", "p1").with("role", "custodian")
}

const MAX_SAMPLES: usize = 64;
const WRAPS: &str = "a key cannot be wrapped, though the provider works";
