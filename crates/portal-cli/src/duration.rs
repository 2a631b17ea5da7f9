//! Lengths of time, as they are written on a command line: 30d, 12h, 90m, 60s.

use std::time::Duration;

pub(crate) fn parse(text: &str) -> Result<Duration, &'static str> {
    let unit_seconds = match text.as_bytes().last() {
        Some(b'd') => 24 * 60 * 60,
        Some(b'h') => 60 * 60,
        Some(b'm') => 60,
        Some(b's') => 1,
        _ => return Err(FORM),
    };
    let digits = &text[..text.len() - 1];
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(FORM);
    }
    let number: u64 = digits.parse().map_err(|_| FORM)?;
    let seconds = number.checked_mul(unit_seconds).filter(|seconds| *seconds <= LONGEST);
    seconds.map(Duration::from_secs).ok_or("at most 100 years")
}

const FORM: &str = "a number and a unit: 30d, 12h, 90m, 60s";
const LONGEST: u64 = 100 * 365 * 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(parse("30d").unwrap().as_secs(), 30 * 86_400);
        assert_eq!(parse("12h").unwrap().as_secs(), 43_200);
        assert_eq!(parse("90m").unwrap().as_secs(), 5_400);
        assert_eq!(parse("0s").unwrap().as_secs(), 0);
        for wrong in ["", "d", "30", "-1d", "+1d", "1.5h", "1w", "1é", "99999999999999999999s"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse("36501d").is_err());
    }
}
