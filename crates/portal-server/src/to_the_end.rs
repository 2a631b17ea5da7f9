//! Work that is brought to its end, also if whoever waits for it goes away.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::runtime::Handle;

/// Work that its caller does, as long as it waits: a task of its own would cost two wakes of
/// another thread. If this is dropped, a task goes on with what is left.
#[derive(Debug)]
#[must_use = "it is done by whoever awaits it"]
pub(crate) struct ToTheEnd<F: Future<Output: Send> + Send + 'static>(Option<Pin<Box<F>>>);

impl<F: Future<Output: Send> + Send + 'static> ToTheEnd<F> {
    pub(crate) fn new(work: F) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for ToTheEnd<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // Taken out: what panics is not gone on with.
        let mut work = self.0.take().expect("it has not ended");
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(work);
        }
        polled
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for ToTheEnd<F> {
    fn drop(&mut self) {
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{panic::AssertUnwindSafe, time::Duration};

    use futures_util::FutureExt;
    use tokio::{sync::oneshot, time};

    use super::*;

    #[tokio::test]
    async fn whoever_waits_gets_what_was_done() {
        assert_eq!(ToTheEnd::new(async { 7 }).await, 7);
    }

    #[tokio::test]
    async fn work_goes_on_when_nobody_waits_any_longer() {
        let (go, gone) = oneshot::channel();
        let (tell, told) = oneshot::channel();
        let work = ToTheEnd::new(async {
            gone.await.unwrap();
            tell.send("done").unwrap();
        });
        assert!(time::timeout(Duration::ZERO, work).await.is_err());
        go.send(()).unwrap();
        assert_eq!(told.await.unwrap(), "done");
    }

    #[tokio::test]
    async fn work_that_nobody_has_begun_is_done_as_well() {
        let (tell, told) = oneshot::channel();
        drop(ToTheEnd::new(async { tell.send("done").unwrap() }));
        assert_eq!(told.await.unwrap(), "done");
    }

    #[tokio::test]
    async fn what_panics_is_not_gone_on_with() {
        let mut work = ToTheEnd::new(async { panic!("it fails") });
        let polled = AssertUnwindSafe(&mut work).catch_unwind().await;
        assert!(polled.is_err());
        assert!(work.0.is_none());
    }
}
