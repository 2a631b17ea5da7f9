//! Clients that do all that one does with a wallet, again and again.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use backup_testkit::MemoryStore;
use portal_client::{BackUpOptions, Curves, Error, Payload, Portal, RecoverOptions};
use tokio::task::JoinSet;

use crate::{
    own_process::OwnProcess,
    wallets::{Custodian, Device, memory_id, memory_method, unseen},
};

/// One in so many clients has wallets on both curves: secp256k1 takes a hundred times the work.
const BOTH_CURVES: usize = 20;

/// What became of clients.
#[derive(Debug, Default)]
pub struct Cycles {
    ended: usize,
    slowed_down: usize,
    failed: BTreeMap<String, usize>,
}

impl Cycles {
    /// Has `clients` at once do what one does with a wallet, again and again for this long, each
    /// time as a client that is new; what they have begun by then they end.
    ///
    /// # Panics
    ///
    /// If the custodian can make no clients.
    pub async fn run(service: &OwnProcess, clients: usize, time: Duration) -> Self {
        let until = Instant::now() + time;
        let mut going = JoinSet::new();
        for number in 0..clients {
            going.spawn(Self::of_one(service.custodian(), curves(number), until));
        }
        let mut all = Self::default();
        while let Some(cycles) = going.join_next().await {
            all = all.and(cycles.expect("no client panics"));
        }
        all
    }

    async fn of_one(custodian: Custodian, curves: Curves, until: Instant) -> Self {
        let mut all = Self::default();
        while Instant::now() < until {
            match cycle(&custodian, curves).await {
                Ok(()) => all.ended += 1,
                Err(error) if is_slow_down(&error) => all.slowed_down += 1,
                Err(error) => *all.failed.entry(error.to_string()).or_default() += 1,
            }
        }
        all
    }

    /// Both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (error, times) in other.failed {
            *self.failed.entry(error).or_default() += times;
        }
        self.ended += other.ended;
        self.slowed_down += other.slowed_down;
        self
    }

    /// Whether some came to their end, and the others were told to slow down and nothing else.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.ended > 0 && self.failed.is_empty()
    }
}

impl fmt::Display for Cycles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ended, slowed_down, failed } = self;
        write!(f, "{ended} whole cycles, {slowed_down} were told to slow down")?;
        failed.iter().try_for_each(|(error, times)| write!(f, "\n{times} times: {error}"))
    }
}

const fn curves(number: usize) -> Curves {
    if number.is_multiple_of(BOTH_CURVES) { Curves::BOTH } else { Curves::ED25519 }
}

/// A wallet is made, backed up twice, lost and recovered, and signs before and after.
async fn cycle(custodian: &Custodian, curves: Curves) -> Result<(), Error> {
    let (client, store) = (custodian.new_client().await?, MemoryStore::new());
    let (lost, new) = (client.device(), client.device());
    let app = |device: &Device| {
        let app = device.app(custodian.url()).curves(curves).method(memory_method(&store));
        app.build()
    };
    let (first, second) = (app(&lost)?, app(&new)?);
    first.create_wallet(&unseen).await?;
    sign(&first, curves).await?;
    for _ in 0..2 {
        first.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await?;
    }
    second.recover(&memory_id(), &RecoverOptions::default(), &unseen).await?;
    sign(&second, curves).await
}

async fn sign(app: &Portal, curves: Curves) -> Result<(), Error> {
    app.sign(Payload::Message(b"a message")).await?;
    if curves == Curves::BOTH {
        app.sign(Payload::Digest(&[7; 32])).await?;
    }
    Ok(())
}

/// What the service says when there is too much at once: `docs/service.md`.
fn is_slow_down(error: &Error) -> bool {
    matches!(error, Error::Service { status: 429 | 503, .. })
}
