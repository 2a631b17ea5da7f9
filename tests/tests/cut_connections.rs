//! Connections that are cut anywhere: an operation goes on as if nothing had been.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use backup_testkit::MemoryStore;
use portal_client::{BackUpOptions, Payload, Portal, RecoverOptions};
use portal_tests::{
    cutting_proxy::{CuttingProxy, Way},
    wallets::{Device, TestClient, TestService, memory_id, memory_method, on_runtime, unseen},
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

#[test]
fn a_request_that_is_lost_or_cut_short_anywhere_is_sent_again() {
    on_runtime(live_through_cuts(Way::ToService));
}
