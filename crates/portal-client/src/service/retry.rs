//! How long a request is repeated, and how far apart: exponentially, with jitter, within a limit.

use std::time::{Duration, Instant};

/// The waits between the attempts of one request.
#[derive(Debug)]
pub(super) struct Waits {
    began: Instant,
    limit: Duration,
    attempts: u32,
}

impl Waits {
    pub(super) fn begin(limit: Duration) -> Self {
        Self { began: Instant::now(), limit, attempts: 0 }
    }

    /// How long to wait before the next attempt; `None` when it is enough.
    pub(super) fn next(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        let mut jitter = [0];
        // Without randomness the waits are shorter, that is all.
        let _ = getrandom::fill(&mut jitter);
        let wait = wait(self.attempts, jitter[0], retry_after);
        self.attempts += 1;
        (self.began.elapsed() + wait <= self.limit).then_some(wait)
    }
}

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

/// Half of it is certain and half is chance, so that those who failed together do not return
/// together.
fn wait(attempts: u32, jitter: u8, retry_after: Option<Duration>) -> Duration {
    let full = FIRST.saturating_mul(2_u32.saturating_pow(attempts)).min(LONGEST);
    let wait = full / 2 + full / 2 * u32::from(jitter) / u32::from(u8::MAX);
    wait.max(retry_after.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_never_fall_below_what_the_service_asks_for() {
        let longest: Vec<_> =
            (0..7).map(|attempts| wait(attempts, 255, None).as_millis()).collect();
        assert_eq!(longest, [100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(wait(1, 0, None).as_millis(), 100);
        assert_eq!(wait(u32::MAX, 255, None), LONGEST);
        let asked = Some(Duration::from_secs(5));
        assert_eq!(wait(0, 255, asked), Duration::from_secs(5));
    }

    #[test]
    fn what_would_last_longer_than_the_limit_is_not_waited_for() {
        let mut waits = Waits::begin(Duration::from_secs(3));
        assert!(waits.next(None).is_some());
        assert!(waits.next(Some(Duration::from_secs(4))).is_none());
        assert!(Waits::begin(Duration::ZERO).next(None).is_none());
    }
}
