//! A service whose clock the test moves.

use std::{
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use backup_core::MethodId;
use portal_server::{clock::Clock, maintenance};
use portal_tests::wallets::TestService;

/// A clock whose hand the test moves.
#[derive(Debug)]
pub(crate) struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) const MINUTE: u64 = 60;
pub(crate) const DAY: u64 = 24 * 60 * MINUTE;

/// Longer than anybody tries.
pub(crate) const LONGEST_EJECT: Duration = Duration::from_secs(1000 * DAY);

/// A service whose clock the test moves.
pub(crate) struct World {
    pub(crate) service: TestService,
    pub(crate) hand: Arc<Hand>,
}

impl World {
    pub(crate) async fn begin() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let hand = Arc::new(Hand(AtomicU64::new(now)));
        let clock = Arc::clone(&hand);
        let service = TestService::start_with(move |options| {
            options.clock = clock;
            options.longest_eject = LONGEST_EJECT;
        })
        .await;
        Self { service, hand }
    }

    pub(crate) async fn wait(&self, seconds: u64) {
        let now = self.hand.0.fetch_add(seconds, Ordering::SeqCst) + seconds;
        maintenance::run_once(self.service.running().service(), now).await.unwrap();
    }
}

pub(crate) fn method(name: &str) -> MethodId {
    MethodId::new(format!("com.example.{name}")).unwrap()
}
