//! What time it is: of the operating system, or what a test says.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

/// Where the service takes the time from.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Seconds since 1970 in UTC.
    fn now(&self) -> u64;
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}
