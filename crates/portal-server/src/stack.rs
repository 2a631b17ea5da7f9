//! What computing leaves on the stack of its thread, erased.
//!
//! Shares and keys are erased where they are dropped, but a value that is moved leaves copies in
//! the frames that it came through, and a thread of the runtime lives as long as the process.

use std::{
    future::{self, Future},
    hint, pin,
};

/// Runs `work`, and erases what it left. What it returns is boxed: moved, it would leave a copy in
/// frames that stay. For the same reason a `work` that holds secrets is boxed when it comes.
pub(crate) fn erased<T>(work: impl FnOnce() -> T) -> Box<T> {
    let done = boxed(work);
    erase::<COMPUTING>();
    done
}

/// The same for a future, whenever it waits and when it is done. What it computes with secrets goes
/// deeper, and is for [`erased`].
pub(crate) async fn erasing<F: Future>(future: F) -> F::Output {
    let mut future = pin::pin!(future);
    future::poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        erase::<ANSWERING>();
        polled
    })
    .await
}

/// With frames of its own, all of which are erased.
#[inline(never)]
fn boxed<T>(work: impl FnOnce() -> T) -> Box<T> {
    Box::new(work())
}

/// Its own frame is what is erased.
#[inline(never)]
fn erase<const LEN: usize>() {
    let mut frame = [0_u8; LEN];
    hint::black_box(&mut frame);
}

/// More than the frames of any step of the protocols take.
const COMPUTING: usize = 128 * 1024;

/// Twice what those take that answer a request, without optimization. It is done several times for
/// each, and with more, what a request needs next would have gone from the processor's caches.
const ANSWERING: usize = 64 * 1024;
