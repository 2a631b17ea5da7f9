//! Requests that cost little, while wallets are recovered.

use std::time::{Duration, Instant};

use portal_client::Portal;
use tokio::time::{MissedTickBehavior, interval};

use super::recovering::Recovering;
use crate::own_process::OwnProcess;

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
    let client = service.custodian().new_client().await.expect("a client is made");
    let device = client.device();
    let app = device.app(service.url()).build().expect("it is set up");
    let recovering = Recovering::start(service);
    let mut times = ask_for(app, time).await;
    let recovered = recovering.end();
    times.sort_unstable();
    let at = |tenths: usize| times[times.len() * tenths / 10];
    Quick { median: at(5), ninth_decile: at(9), recovered }
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
