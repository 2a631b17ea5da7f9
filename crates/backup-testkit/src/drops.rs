//! Futures that are dropped on the way, as a closed app drops them.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

/// Drives `future` for at most `polls` polls, then drops it; `None` if it had not come to its end.
///
/// It is polled when it is woken, so it may wait for other threads or a network. Zero polls drop it
/// before it has begun.
pub async fn poll_then_drop<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Gives way once: an await point at which a future can be dropped.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;

    #[test]
    fn a_future_is_polled_as_often_as_allowed() {
        let twice = || async {
            yield_now().await;
            7
        };
        assert_eq!(block_on(poll_then_drop(0, twice())), None);
        assert_eq!(block_on(poll_then_drop(1, twice())), None);
        assert_eq!(block_on(poll_then_drop(2, twice())), Some(7));
    }
}
