//! Numbers as Portal writes them: decimal digits, in a JSON string or as a JSON number.

use zeroize::Zeroizing;

use crate::{ImportError, error::Result};

/// 2^256 has 78 digits.
const MOST_DIGITS: usize = 78;

/// 256 bits, big-endian.
pub(crate) type Bytes = Zeroizing<[u8; 32]>;

/// The number that `json` stands for, if it has at most 256 bits.
pub(crate) fn number(json: &str, field: &'static str) -> Result<Bytes> {
    let digits = digits(json).ok_or(ImportError::Malformed { field })?;
    if digits.len() > MOST_DIGITS {
        return Err(ImportError::OutOfRange { field });
    }
    let mut value = Zeroizing::new([0; 32]);
    for digit in digits.bytes() {
        let carry = times_ten_plus(&mut value, digit - b'0');
        if carry != 0 {
            return Err(ImportError::OutOfRange { field });
        }
    }
    Ok(value)
}

/// The digits, of which the first is a zero only if it is the last.
pub(crate) fn digits(json: &str) -> Option<&str> {
    let string = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let digits = string.unwrap_or(json);
    let canonical = digits == "0" || !digits.starts_with('0');
    let decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && decimal).then_some(digits)
}

fn times_ten_plus(value: &mut [u8; 32], digit: u8) -> u16 {
    value.iter_mut().rev().fold(u16::from(digit), |carry, byte| {
        let [high, low] = (u16::from(*byte) * 10 + carry).to_be_bytes();
        *byte = low;
        high.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Result<[u8; 32]> {
        number(json, "share").map(|bytes| *bytes)
    }

    #[test]
    fn strings_and_numbers_are_read_alike() {
        let mut expected = [0; 32];
        expected[30..].copy_from_slice(&[0x30, 0x39]);
        assert_eq!(value("12345"), Ok(expected));
        assert_eq!(value("\"12345\""), Ok(expected));
        assert_eq!(value("0"), Ok([0; 32]));
    }

    #[test]
    fn the_largest_number_has_256_bits() {
        const LARGEST: &str =
            "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        assert_eq!(value(LARGEST), Ok([0xff; 32]));
        let larger = LARGEST.replace("935", "936");
        assert_eq!(value(&larger), Err(ImportError::OutOfRange { field: "share" }));
        let longer = format!("1{}", "0".repeat(MOST_DIGITS));
        assert_eq!(value(&longer), Err(ImportError::OutOfRange { field: "share" }));
    }

    #[test]
    fn anything_else_is_malformed() {
        for json in ["", "\"\"", "-1", "+1", "1.0", "1e9", "007", "\"1", "0x1", "null", "[1]", "१"]
        {
            assert_eq!(value(json), Err(ImportError::Malformed { field: "share" }), "{json}");
        }
    }
}
