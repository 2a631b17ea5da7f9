//! The little CBOR (RFC 8949) that an attestation object takes, in CTAP2's canonical form.

pub(super) fn map(entries: usize) -> Vec<u8> {
    head(5, entries)
}

pub(super) fn text(text: &str) -> Vec<u8> {
    [head(3, text.len()), text.as_bytes().to_vec()].concat()
}

pub(super) fn bytes(bytes: &[u8]) -> Vec<u8> {
    [head(2, bytes.len()), bytes.to_vec()].concat()
}

/// From -65536 to 65535.
pub(super) fn int(value: i32) -> Vec<u8> {
    match usize::try_from(value) {
        Ok(value) => head(0, value),
        Err(_) => head(1, usize::try_from(-1 - value).expect("it is negative")),
    }
}

pub(super) const TRUE: [u8; 1] = [0xf5];

/// The shortest head of a major type: at most two bytes of length are needed here.
fn head(major: u8, value: usize) -> Vec<u8> {
    let kind = major << 5;
    let [high, low] = u16::try_from(value).expect("it fits into two bytes").to_be_bytes();
    match value {
        0..24 => vec![kind | low],
        24..256 => vec![kind | 24, low],
        _ => vec![kind | 25, high, low],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8949, appendix A.
    #[test]
    fn the_rfcs_examples_come_out() {
        assert_eq!(int(0), [0x00]);
        assert_eq!(int(23), [0x17]);
        assert_eq!(int(24), [0x18, 0x18]);
        assert_eq!(int(1000), [0x19, 0x03, 0xe8]);
        assert_eq!(int(-1), [0x20]);
        assert_eq!(int(-100), [0x38, 0x63]);
        assert_eq!(int(-1000), [0x39, 0x03, 0xe7]);
        assert_eq!(bytes(&[1, 2, 3, 4]), [0x44, 1, 2, 3, 4]);
        assert_eq!(text("IETF"), [0x64, 0x49, 0x45, 0x54, 0x46]);
        assert_eq!(map(0), [0xa0]);
    }
}
