//! A connection that is cut: a proxy between a device and its service.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Which way is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// What the device sends.
    ToService,
    /// What the service sends.
    ToDevice,
}

/// Lets bytes through one way until a certain number has passed, then cuts that connection, and
/// lets all later ones through.
#[derive(Debug)]
pub struct CuttingProxy {
    address: SocketAddr,
    passed: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

/// What one direction of a connection counts by.
#[derive(Clone, Debug)]
struct Counter {
    passed: Arc<AtomicUsize>,
    cut_after: usize,
}

impl CuttingProxy {
    /// A proxy before `service`, that cuts once, after this many bytes one way.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub async fn start(service: SocketAddr, way: Way, cut_after: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("it listens");
        let passed = Arc::new(AtomicUsize::new(0));
        let counter = Counter { passed: Arc::clone(&passed), cut_after };
        let serving = tokio::spawn(async move {
            while let Ok((device, _)) = listener.accept().await {
                tokio::spawn(carry(device, service, way, counter.clone()));
            }
        });
        Self { address, passed, serving }
    }

    /// Its address for clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many bytes have passed the way that is counted.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Ends, and with it both ends of the connection, as soon as one way does.
async fn carry(device: TcpStream, service: SocketAddr, way: Way, counter: Counter) {
    let Ok(service) = TcpStream::connect(service).await else { return };
    let (mut from_device, mut to_device) = device.into_split();
    let (mut from_service, mut to_service) = service.into_split();
    let counters = [Way::ToService, Way::ToDevice].map(|of| (of == way).then(|| counter.clone()));
    tokio::select! {
        () = copy(&mut from_device, &mut to_service, counters[0].as_ref()) => {}
        () = copy(&mut from_service, &mut to_device, counters[1].as_ref()) => {}
    }
}

async fn copy(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    counter: Option<&Counter>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let allowed = counter.map_or(read, |counter| counter.allow(read));
        if to.write_all(&buffer[..allowed]).await.is_err() || allowed < read {
            return;
        }
    }
}

impl Counter {
    /// How many of `read` bytes pass: fewer only where the cut is.
    fn allow(&self, read: usize) -> usize {
        let before = self.passed.fetch_add(read, Ordering::SeqCst);
        if before <= self.cut_after && self.cut_after < before + read {
            self.cut_after - before
        } else {
            read
        }
    }
}
