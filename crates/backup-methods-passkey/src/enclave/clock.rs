//! What time it is.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

/// Where the enclave takes the time from: ceremonies and failed attempts expire by it.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Seconds since 1970, UTC.
    fn unix_seconds(&self) -> u64;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// A clock before 1970 is at 1970: then nothing has expired yet, and nothing is lost.
    fn unix_seconds(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}
