//! The servers on this machine that the doubles of services are.

use std::{
    io,
    net::TcpListener,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll},
    thread,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::Stream;
use tokio::sync::oneshot;

/// A server that answers until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    url: String,
    stop: Option<oneshot::Sender<()>>,
}

impl Server {
    /// Starts it on a thread of its own, so that any executor can be used beside it.
    pub(crate) fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (stop, stopped) = oneshot::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
                let served = axum::serve(listener, router).with_graceful_shutdown(async {
                    let _ = stopped.await;
                });
                let _ = served.await;
            });
        });
        Self { url, stop: Some(stop) }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

/// How many requests are on their way in.
#[derive(Debug, Default)]
pub(crate) struct UnderWay(AtomicUsize);

impl UnderWay {
    /// The whole body, or nothing: what was cut short on its way has no effect.
    pub(crate) async fn whole(&self, body: Body) -> Option<Bytes> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let whole = axum::body::to_bytes(body, 5 * 1024 * 1024).await.ok();
        self.0.fetch_sub(1, Ordering::Relaxed);
        whole
    }

    /// Waits until requests that were sent have had their effect.
    pub(crate) async fn settle(&self) {
        let mut quiet = 0;
        while quiet < 3 {
            tokio::time::sleep(Duration::from_millis(3)).await;
            quiet = if self.0.load(Ordering::Relaxed) == 0 { quiet + 1 } else { 0 };
        }
    }
}

/// An answer that promises more than comes before the connection ends.
pub(crate) fn cut_short() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(CutShort)).into_response()
}

/// The end of a connection.
struct CutShort;

impl Stream for CutShort {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
    }
}
