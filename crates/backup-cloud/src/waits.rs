//! How long to wait between attempts.

use std::time::{Duration, Instant};

/// Waits between attempts: twice as long each time, and some more, so that those who failed
/// together do not come back together.
#[derive(Debug)]
pub struct Waits {
    until: Instant,
    next: Duration,
}

impl Waits {
    /// Attempts begin now, and go on for as long as `patience` lasts.
    #[must_use]
    pub fn begin(patience: Duration) -> Self {
        Self { until: Instant::now() + patience, next: Duration::from_millis(250) }
    }

    /// Waits, no less than the server asked for. `false`, at once, if there is no time left for
    /// that.
    pub async fn next(&mut self, at_least: Option<Duration>) -> bool {
        let wait = at_least.unwrap_or(self.next).saturating_add(jitter(self.next));
        if wait > self.until.saturating_duration_since(Instant::now()) {
            return false;
        }
        tokio::time::sleep(wait).await;
        self.next = (self.next * 2).min(Duration::from_secs(8));
        true
    }
}

/// Up to a quarter.
fn jitter(of: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(0) % 256;
    of * random / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_has_no_time_left_is_told_at_once() {
        let begun = Instant::now();
        assert!(!Waits::begin(Duration::ZERO).next(None).await);
        for asked in [Duration::from_secs(3600), Duration::MAX] {
            assert!(!Waits::begin(Duration::from_secs(60)).next(Some(asked)).await);
        }
        assert!(begun.elapsed() < Duration::from_millis(200));
    }

    #[tokio::test]
    async fn a_wait_is_no_shorter_than_was_asked_for() {
        let begun = Instant::now();
        let asked = Duration::from_millis(300);
        assert!(Waits::begin(Duration::from_secs(60)).next(Some(asked)).await);
        assert!(begun.elapsed() >= asked);
    }
}
