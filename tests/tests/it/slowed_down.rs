//! A device that asks more often than the service allows: it waits as it is told, and goes on.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use portal_client::Payload;
use portal_server::effects::Effect;
use portal_tests::wallets::{TestService, on_runtime, unseen};

#[test]
fn a_device_that_is_told_to_slow_down_does_and_signs_all_it_was_asked_to() {
    on_runtime(async {
        let refusals = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&refusals);
        let service = TestService::start_with(|options| {
            options.limits.key_rate = NonZeroU32::new(20);
            options.observer = Arc::new(move |effect| {
                if effect == (Effect::Reply { status: 429 }) {
                    seen.fetch_add(1, Ordering::SeqCst);
                }
            });
        })
        .await;
        let device = service.client().await.device();
        let app = device.app(&service.url()).build().unwrap();
        app.create_wallet(&unseen).await.unwrap();
        for number in 0..30_u8 {
            app.sign(Payload::Message(&[number])).await.unwrap();
            if refusals.load(Ordering::SeqCst) >= 2 {
                return;
            }
        }
        panic!("it was never told to slow down");
    });
}
