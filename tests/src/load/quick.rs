//! Requests that cost little, while wallets are recovered.

use std::time::{Duration, Instant};

use backup_testkit::MemoryStore;
use portal_client::{BackUpOptions, Curves, Portal, RecoverOptions};
use tokio::{
    runtime::{Builder, Runtime},
    sync::watch,
    task,
    time::{MissedTickBehavior, interval},
};

use crate::{
    own_process::OwnProcess,
    wallets::{TestClient, memory_id, memory_method, unseen},
};

/// How many recover at once, one after the other: as many as there are places for costly work.
const RECOVERING: usize = 2;

/// How long quick requests took.
#[derive(Clone, Copy, Debug)]
pub struct Quick {
    /// Half of them took at most this.
    pub median: Duration,
    /// Nine in ten of them took at most this.
    pub ninth_decile: Duration,
    /// How many wallets were recovered meanwhile.
    pub recovered: usize,
}

/// Asks for what costs little, fifty times a second for so long, while wallets on both curves are
/// recovered.
///
/// # Panics
///
/// If anything is refused.
pub async fn beside_recoveries(service: &OwnProcess, time: Duration) -> Quick {
    let (stop, stopped) = watch::channel(false);
    let mut recovering = Vec::new();
    for _ in 0..RECOVERING {
        let client = service.custodian().new_client().await.expect("a client is made");
        let url = service.url().to_owned();
        recovering.push(tokio::spawn(recover_until(client, url, stopped.clone())));
    }
    let client = service.custodian().new_client().await.expect("a client is made");
    let device = client.device();
    let app = device.app(service.url()).build().expect("it is set up");
    // By a runtime of its own: those who recover are on other machines.
    let asked = task::spawn_blocking(move || own_runtime().block_on(ask_for(app, time)));
    let mut times = asked.await.expect("it does not panic");
    stop.send(true).expect("they still recover");
    let mut recovered = 0;
    for recovering in recovering {
        recovered += recovering.await.expect("it does not panic");
    }
    times.sort_unstable();
    let at = |tenths: usize| times[times.len() * tenths / 10];
    Quick { median: at(5), ninth_decile: at(9), recovered }
}

fn own_runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("there is a runtime")
}

async fn ask_for(app: Portal, time: Duration) -> Vec<Duration> {
    let (begun, mut times) = (Instant::now(), Vec::new());
    let mut tick = interval(Duration::from_millis(20));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while begun.elapsed() < time {
        tick.tick().await;
        let asked = Instant::now();
        app.does_wallet_exist(None).await.expect("it answers");
        times.push(asked.elapsed());
    }
    times
}

async fn recover_until(client: TestClient, url: String, stopped: watch::Receiver<bool>) -> usize {
    let store = MemoryStore::new();
    let app = || {
        let device = client.device();
        let app = device.app(&url).curves(Curves::BOTH).method(memory_method(&store));
        (app.build().expect("it is set up"), device)
    };
    let (first, _device) = app();
    first.create_wallet(&unseen).await.expect("a wallet is made");
    first.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await.expect("it is backed up");
    let mut recovered = 0;
    while !*stopped.borrow() {
        let (new, _device) = app();
        let wallet = new.recover(&memory_id(), &RecoverOptions::default(), &unseen).await;
        wallet.expect("it is recovered");
        recovered += 1;
    }
    recovered
}
