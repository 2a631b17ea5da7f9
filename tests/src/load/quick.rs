//! Requests that cost little, while wallets are recovered.

use std::time::{Duration, Instant};

use portal_client::Portal;
use tokio::time::sleep_until;

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

/// Fifty times a second.
const EACH: Duration = Duration::from_millis(20);

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
    let begun = Instant::now();
    let (mut due, mut times) = (begun, Vec::new());
    while begun.elapsed() < time {
        // What could not be asked when it was due, since the answer before was not there yet,
        // waits from then on: else a long answer would hide those that it keeps waiting.
        let asked = if Instant::now() < due {
            sleep_until(due.into()).await;
            Instant::now()
        } else {
            due
        };
        app.does_wallet_exist(None).await.expect("it answers");
        times.push(asked.elapsed());
        due += EACH;
    }
    times
}
