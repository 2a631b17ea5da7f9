//! The text of a key file: three lines, and nothing else.

use std::path::Path;

use backup_core::secrecy::{ExposeSecret, ExposeSecretMut, SecretBox};
use zeroize::Zeroizing;

use super::{KeyFile, KeyFileError};

/// The longest file that is read: a little more than a whole one.
pub(super) const MAX_LEN: usize = 256;

/// What is wrong with the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Problem {
    Damaged,
    UnknownVersion,
}

impl Problem {
    pub(super) fn in_file(self, path: &Path) -> KeyFileError {
        match self {
            Self::Damaged => KeyFileError::Damaged { path: path.into() },
            Self::UnknownVersion => KeyFileError::UnknownVersion { path: path.into() },
        }
    }
}

pub(super) fn write(file: &KeyFile) -> Zeroizing<Vec<u8>> {
    let mut hex = Zeroizing::new([0; KEY_HEX_LEN]);
    base16ct::lower::encode(file.key.expose_secret(), hex.as_mut_slice())
        .expect("the buffer has two bytes for each byte of the key");
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_LEN));
    for part in [FIRST_LINE, b"\nid: ", file.id.as_bytes(), b"\nkey: ", &hex[..], b"\n"] {
        text.extend_from_slice(part);
    }
    text
}

pub(super) fn parse(text: &[u8]) -> Result<KeyFile, Problem> {
    let lines = text.strip_prefix(FIRST_LINE).and_then(|rest| rest.strip_prefix(b"\n"));
    let lines = lines.ok_or_else(|| of_first_line(text))?;
    let (id, key) = id_and_key(lines).ok_or(Problem::Damaged)?;
    let mut secret = SecretBox::new(Box::new([0; 32]));
    let decoded = base16ct::lower::decode(key, secret.expose_secret_mut());
    if !decoded.is_ok_and(|decoded| decoded.len() == 32) {
        return Err(Problem::Damaged);
    }
    let file = KeyFile::from_key(secret);
    if file.id.as_bytes() == id { Ok(file) } else { Err(Problem::Damaged) }
}

fn id_and_key(lines: &[u8]) -> Option<(&[u8], &[u8])> {
    let lines = lines.strip_prefix(b"id: ")?.strip_suffix(b"\n")?;
    let end = lines.iter().position(|&byte| byte == b'\n')?;
    let key = lines[end..].strip_prefix(b"\nkey: ")?;
    (key.len() == KEY_HEX_LEN).then_some((&lines[..end], key))
}

fn of_first_line(text: &[u8]) -> Problem {
    let version = text.strip_prefix(NAME).and_then(|rest| rest.split(|&b| b == b'\n').next());
    let is_other = |version: &[u8]| {
        version != b"1" && !version.is_empty() && version.iter().all(u8::is_ascii_digit)
    };
    if version.is_some_and(is_other) { Problem::UnknownVersion } else { Problem::Damaged }
}

const NAME: &[u8] = b"portal-key-file-";
const FIRST_LINE: &[u8] = b"portal-key-file-1";
const KEY_HEX_LEN: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(key: [u8; 32]) -> Vec<u8> {
        write(&KeyFile::from_key(SecretBox::new(Box::new(key)))).to_vec()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(key: [u8; 32]) {
            let text = written(key);
            prop_assert!(text.len() <= MAX_LEN);
            let file = parse(&text).unwrap();
            prop_assert_eq!(file.key.expose_secret(), &key);
            prop_assert_eq!(written(key), text);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            prop_assert!(parse(&bytes).is_err());
        }

        #[test]
        fn every_changed_byte_is_noticed(key: [u8; 32], at: prop::sample::Index, bit in 0..8_u8) {
            let mut text = written(key);
            let at = at.index(text.len());
            text[at] ^= 1u8 << bit;
            prop_assert!(parse(&text).is_err());
        }

        #[test]
        fn every_cut_is_noticed(key: [u8; 32], at: prop::sample::Index) {
            let text = written(key);
            prop_assert!(parse(&text[..at.index(text.len())]).is_err());
        }
    }

    #[test]
    fn a_later_version_is_told_from_damage() {
        assert_eq!(parse(b"portal-key-file-2\n?").unwrap_err(), Problem::UnknownVersion);
        assert_eq!(parse(b"portal-key-file-\n").unwrap_err(), Problem::Damaged);
        assert_eq!(parse(b"portal-key-file-1\n").unwrap_err(), Problem::Damaged);
        assert_eq!(parse(b"").unwrap_err(), Problem::Damaged);
    }
}
