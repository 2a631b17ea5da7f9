//! Points in time, as Portal writes them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Seconds since 1970 in UTC; in JSON an RFC 3339 date and time with milliseconds.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Timestamp(
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Time"))] pub u64,
);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.0 / 86_400, self.0 % 86_400);
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (rest / 3600, rest % 3600 / 60, rest % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| D::Error::custom("not a date and time in UTC, as RFC 3339 says"))
    }
}

/// Reads what JavaScript writes, `2026-09-21T14:13:20.000Z`; with any fraction of a second or none,
/// which does not count.
fn parse(text: &str) -> Option<Timestamp> {
    let (seconds, rest) = text.split_at_checked(19)?;
    let fraction = rest.strip_suffix('Z')?;
    let is_fraction = fraction.strip_prefix('.').is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    if !(fraction.is_empty() || is_fraction) {
        return None;
    }
    let number = |from: usize, to: usize| seconds.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let days = days(year, month, day)?;
    let read = Timestamp(((days * 24 + hour) * 60 + minute) * 60 + second);
    // Whatever is out of its range would be written otherwise.
    (read.to_string().get(..19) == Some(seconds)).then_some(read)
}

/// The inverse of [`civil`].
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = year.checked_sub(u64::from(month <= 2))?;
    let (era, year_of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.checked_sub(1)?;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    (era * 146_097 + of_era).checked_sub(719_468)
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
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_javascript_writes_them() {
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp(951_782_399).to_string(), "2000-02-28T23:59:59.000Z");
        assert_eq!(Timestamp(951_782_400).to_string(), "2000-02-29T00:00:00.000Z");
        assert_eq!(Timestamp(1_790_000_000).to_string(), "2026-09-21T14:13:20.000Z");
        assert_eq!(Timestamp(4_107_542_400).to_string(), "2100-03-01T00:00:00.000Z");
    }

    #[test]
    fn what_is_written_is_read_and_nothing_that_is_no_time() {
        for seconds in [0, 951_782_399, 951_782_400, 1_790_000_000, 4_107_542_400] {
            assert_eq!(parse(&Timestamp(seconds).to_string()), Some(Timestamp(seconds)));
        }
        assert_eq!(parse("2026-09-21T14:13:20Z"), Some(Timestamp(1_790_000_000)));
        assert_eq!(parse("2026-09-21T14:13:20.999999Z"), Some(Timestamp(1_790_000_000)));
        for wrong in [
            "",
            "tomorrow",
            "2026-09-21",
            "2026-09-21T14:13:20",
            "2026-09-21T14:13:20+02:00",
            "2026-09-21T14:13:20.Z",
            "2026-09-21T14:13:20.1eZ",
            "2026-09-21 14:13:20Z",
            "2026-02-30T14:13:20Z",
            "2026-13-01T14:13:20Z",
            "2026-00-01T14:13:20Z",
            "2026-09-21T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "+026-09-21T14:13:20Z",
            "2026-09-2\u{e9}T14:13:20Z",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
