//! Points in time, as they are shown.

use portal_api::compat::Timestamp;

/// A time in seconds since 1970, in UTC and to the minute.
pub(crate) fn as_text(seconds: u64) -> String {
    let time = Timestamp(seconds).to_string();
    let (date, rest) = time.split_once('T').unwrap_or_default();
    let (to_the_minute, _seconds) = rest.rsplit_once(':').unwrap_or_default();
    format!("{date} {to_the_minute} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_dates() {
        assert_eq!(as_text(0), "1970-01-01 00:00 UTC");
        assert_eq!(as_text(951_782_399), "2000-02-28 23:59 UTC");
        assert_eq!(as_text(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(as_text(1_790_000_000), "2026-09-21 14:13 UTC");
        assert_eq!(as_text(4_107_542_400), "2100-03-01 00:00 UTC");
    }
}
