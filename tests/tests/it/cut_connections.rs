//! Connections that are cut anywhere: an operation goes on as if nothing had been.

use std::time::Duration;

use backup_testkit::MemoryStore;
use portal_client::{BackUpOptions, Error, Payload, Portal, RecoverOptions};
use portal_tests::{
    cutting_proxy::{CuttingProxy, Way},
    middle::{Asked, http_client, send},
    wallets::{Device, TestClient, TestService, memory_id, memory_method, on_runtime, unseen},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// How many cuts are tried, evenly over all that passes.
const CUTS: usize = 24;

/// A wallet's life by way of a proxy that cuts once; how many bytes passed the way it counts.
async fn live(service: &TestService, way: Way, cut_after: usize) -> usize {
    let proxy = CuttingProxy::start(service.address(), way, cut_after).await;
    let client = service.client().await;
    let store = MemoryStore::new();
    let first = client.device();
    let app = app(&first, &proxy, &store);
    let addresses = app.create_wallet(&unseen).await.unwrap();
    app.sign(Payload::Message(b"one")).await.unwrap();
    for is_first in [true, false] {
        let made = app.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await.unwrap();
        assert_eq!((made.enrolled, made.proved), (is_first, true));
    }
    let recovered = recover(&client, &proxy, &store).await;
    assert_eq!(recovered, addresses);
    assert_eq!(store.len(), 1, "one enrolment, and nothing left behind");
    proxy.passed()
}

async fn recover(
    client: &TestClient,
    proxy: &CuttingProxy,
    store: &MemoryStore,
) -> portal_client::Addresses {
    let second = client.device();
    let app = app(&second, proxy, store);
    let recovered = app.recover(&memory_id(), &RecoverOptions::default(), &unseen).await.unwrap();
    app.sign(Payload::Message(b"two")).await.unwrap();
    let status = app.status().await.unwrap();
    assert!(status.live && status.notices.is_empty(), "{:?}", status.notices);
    recovered.addresses
}

fn app(device: &Device, proxy: &CuttingProxy, store: &MemoryStore) -> Portal {
    let builder = device.app(&proxy.url()).method(memory_method(store));
    builder.timeout(Duration::from_secs(20)).build().unwrap()
}

async fn live_through_cuts(way: Way) {
    let service = TestService::start().await;
    let all = live(&service, way, usize::MAX).await;
    for cut in 0..CUTS {
        live(&service, way, all * cut / CUTS).await;
    }
}

#[test]
fn a_reply_that_is_lost_or_cut_short_anywhere_is_asked_for_again() {
    on_runtime(live_through_cuts(Way::ToDevice));
}

/// A service whose every answer is this: `head`, an empty line, and this body, after which it hangs
/// up.
async fn answering(head: &str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!("{head}\r\n\r\n{body}");
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                asked.push(byte);
            }
            // The device may have hung up before.
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    url
}

#[test]
fn an_answer_that_does_not_say_where_it_ends_is_none() {
    on_runtime(async {
        let service = TestService::start().await;
        let client = service.client().await;
        let asked = Asked::get(portal_api::route::CLIENT).with_key(&client.key);
        let whole = send(&http_client(), &service.url(), &asked).await.unwrap().text();
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json";
        let status = async |head: &str, body: &str| {
            let device = client.device();
            let app = device.app(&answering(head, body).await);
            app.patience(Duration::from_millis(100)).build().unwrap().status().await
        };
        let with_length = |len: usize| format!("{head}\r\ncontent-length: {len}");
        status(&with_length(whole.len()), &whole).await.unwrap();
        for error in [
            status(head, &whole).await.unwrap_err(),
            status(&with_length(whole.len() + 1), &whole).await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::Unreachable(_)), "{error}");
        }
    });
}

#[test]
fn a_request_that_is_lost_or_cut_short_anywhere_is_sent_again() {
    on_runtime(live_through_cuts(Way::ToService));
}
