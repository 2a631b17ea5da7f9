//! What an entry holds: a key in hexadecimal, since some keychains keep text only.

use backup_core::{EncryptionKey, Error, ErrorKind, Result};
use zeroize::Zeroizing;

/// 64 lower-case hexadecimal digits.
pub(crate) fn encode(key: &EncryptionKey) -> Zeroizing<String> {
    Zeroizing::new(base16ct::lower::encode_string(key.expose()))
}

/// Reads exactly what [`encode`] writes.
///
/// # Errors
///
/// [`ErrorKind::Damaged`] for anything else.
pub(crate) fn decode(value: &[u8]) -> Result<EncryptionKey> {
    let mut key = Zeroizing::new([0; 32]);
    match base16ct::lower::decode(value, &mut *key).map(<[u8]>::len) {
        Ok(32) => Ok(EncryptionKey::copied_from(&key)),
        _ => Err(Error::new(
            ErrorKind::Damaged,
            "the entry in the keychain is not a key that was put there; something has changed it",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn a_key_is_sixty_four_digits_and_read_as_it_was_written() {
        let key = EncryptionKey::copied_from(&std::array::from_fn(|i| u8::try_from(i).unwrap()));
        assert_eq!(*encode(&key), TEXT);
        assert_eq!(decode(TEXT.as_bytes()).unwrap(), key);
    }

    #[test]
    fn what_is_not_a_key_is_damaged() {
        let upper = TEXT.to_uppercase();
        let longer = format!("{TEXT}00");
        for value in ["", &TEXT[2..], &TEXT[1..], &longer, &upper, &TEXT.replace('a', "g")] {
            assert_eq!(decode(value.as_bytes()).unwrap_err().kind(), ErrorKind::Damaged, "{value}");
        }
    }
}
