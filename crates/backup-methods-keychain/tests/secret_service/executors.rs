//! Any executor will do, and none is blocked.

use std::{
    pin::pin,
    task::{Context, Waker},
};

use backup_core::KeyStore;
use backup_methods_keychain::Keychain;
use futures_executor::block_on;

use crate::support::{Session, context, fresh, op};

#[test]
fn what_one_executor_put_another_gets() {
    let _session = Session::new();
    let (context, keychain) = (context(), Keychain::system());
    let (name, key) = fresh(&context);
    block_on(keychain.put(&op(&context), &name, &key)).unwrap();
    let current_thread = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let multi_thread = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    for runtime in [current_thread, multi_thread] {
        let got = runtime.block_on(keychain.get(&op(&context), &name)).unwrap();
        assert_eq!(got, key);
    }
}

#[test]
fn no_async_thread_is_blocked_while_the_keychain_answers() {
    let _session = Session::new();
    let (context, keychain) = (context(), Keychain::system());
    let op = op(&context);
    let mut check = pin!(keychain.check(&op));
    assert!(check.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    block_on(check).unwrap();
}
