//! Any executor will do, none is blocked, and a dropped future does no harm.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
};

use backup_core::{BackupMethod, Operation, Purpose};

use crate::support::{self, block_on, context, envelope, method, params};

const RIGHT: &str = "anvil tundra quince";

#[test]
fn what_one_executor_enrolled_another_unlocks() {
    let context = context();
    let enroll = Operation::new(Purpose::Enroll, &context);
    let unlock = Operation::new(Purpose::Unlock, &context);
    let enrolling = method(&[RIGHT]);
    let enrollment = block_on(enrolling.enroll(&enroll)).unwrap();

    let current_thread = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let multi_thread = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    for runtime in [current_thread, multi_thread] {
        let unlocking = method(&[RIGHT]);
        let key = runtime.block_on(unlocking.unlock(&unlock, &enrollment.params)).unwrap();
        assert_eq!(key.expose(), enrollment.wrapping_key.expose());
    }
}

#[test]
fn no_async_thread_is_blocked_while_a_key_is_derived() {
    let (context, method) = (context(), method(&[RIGHT, RIGHT]));
    let enroll = Operation::new(Purpose::Enroll, &context);
    assert!(is_pending_at_first(method.enroll(&enroll)));
    let unlock = Operation::new(Purpose::Unlock, &context);
    let costly = params(64 * 1024, 3, 4);
    assert!(is_pending_at_first(method.unlock(&unlock, &costly)));
}

#[test]
fn futures_dropped_while_a_key_is_derived_do_no_harm() {
    let (context, envelope) = (context(), envelope(&method(&[RIGHT])));
    let slot = envelope.header().slot.clone().unwrap();
    let unlock = Operation::new(Purpose::Unlock, &context);
    for _ in 0..3 {
        let method = method(&[RIGHT]);
        assert!(is_pending_at_first(method.unlock(&unlock, slot.params())));
    }
    assert!(support::open(&envelope, &method(&[RIGHT]), 1).is_ok());
}

#[test]
fn futures_can_be_sent_to_other_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let (context, method, params) = (context(), method(&[RIGHT]), params(64, 1, 1));
    let op = Operation::new(Purpose::Unlock, &context);
    drop(is_send(method.enroll(&op)));
    drop(is_send(method.unlock(&op, &params)));
}

/// Polls once, with a prompt that answers at once, and drops the future.
fn is_pending_at_first<T>(future: impl Future<Output = T>) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_pending()
}
