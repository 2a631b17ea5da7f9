//! Points in time, as they are shown.

/// A time in seconds since 1970, in UTC and to the minute.
pub(crate) fn as_text(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", rest / 3600, rest % 3600 / 60)
}

/// Year, month and day of a day since 1970, by counting from March of the year 0 in eras of 400
/// years: <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * months_since_march + 2) / 5 + 1;
    let month =
        if months_since_march < 10 { months_since_march + 3 } else { months_since_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
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
