//! The routes at a socket, as a mounter puts them there.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread,
};

use axum::{
    extract::Request,
    http::header,
    middleware::{self, Next},
    response::Response,
};
use backup_core::EncryptionContext;
use backup_methods_passkey::enclave::{cross_origin, page, router};

use crate::support::{World, alice, bob};

/// A service as a mounter makes it: keys of two clients, and pages of one origin.
pub(crate) struct Service {
    pub(crate) world: World,
    pub(crate) address: SocketAddr,
}

impl Service {
    pub(crate) fn start() -> Self {
        let world = World::new();
        let routes = router(Arc::new(world.enclave.clone()));
        let routes = routes.layer(middleware::from_fn(authenticate));
        let routes = page().merge(cross_origin(routes, &["https://app.example.com"]).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, routes).await.unwrap();
            });
        });
        Self { world, address }
    }
}

async fn authenticate(mut request: Request, next: Next) -> Response {
    let key = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes().to_vec());
    let client: Option<EncryptionContext> = match key.as_deref() {
        Some(b"Bearer alice-key") => Some(alice()),
        Some(b"Bearer bob-key") => Some(bob()),
        _ => None,
    };
    if let Some(client) = client {
        request.extensions_mut().insert(client);
    }
    next.run(request).await
}
