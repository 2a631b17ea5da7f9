//! What is in a key file: `docs/format.md` has every byte.

use backup_core::{EncryptionKey, Error, ErrorKind, KeyName, Result};
use zeroize::Zeroizing;

const OPENING: &str = "portal-backup key 1\n";
const HEX_LEN: usize = 64;

/// Longest answer to be read as a key file. Ours is 142 bytes; what is longer is not ours.
pub(crate) const MAX_LEN: usize = 4096;

/// The file of `key` under `name`.
pub(crate) fn write(name: &KeyName, key: &EncryptionKey) -> Zeroizing<Vec<u8>> {
    let name = name.as_str();
    let mut file = Zeroizing::new(Vec::with_capacity(OPENING.len() + name.len() + HEX_LEN + 2));
    file.extend_from_slice(OPENING.as_bytes());
    file.extend_from_slice(name.as_bytes());
    file.push(b'\n');
    let mut hex = Zeroizing::new([0; HEX_LEN]);
    base16ct::lower::encode(key.expose(), &mut hex[..]).expect("twice as long as the key");
    file.extend_from_slice(&hex[..]);
    file.push(b'\n');
    file
}

/// The key in a file, which says itself under which name it was kept.
pub(crate) fn read(name: &KeyName, file: &[u8]) -> Result<EncryptionKey> {
    let rest = file.strip_prefix(b"portal-backup key ").ok_or_else(damaged)?;
    let rest = rest.strip_prefix(b"1\n").ok_or_else(|| other_version(rest))?;
    let hex = rest
        .strip_prefix(name.as_str().as_bytes())
        .and_then(|rest| rest.strip_prefix(b"\n"))
        .and_then(|rest| rest.strip_suffix(b"\n"))
        .filter(|hex| hex.len() == HEX_LEN)
        .ok_or_else(damaged)?;
    EncryptionKey::try_init_with(|key| base16ct::lower::decode(hex, key).map(|_| ()))
        .map_err(|_| damaged())
}

fn other_version(rest: &[u8]) -> Error {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 && rest.get(digits) == Some(&b'\n') {
        let message = "a newer version of this software wrote the key file; update, then read it";
        return Error::new(ErrorKind::UnknownVersion, message);
    }
    damaged()
}

fn damaged() -> Error {
    let message = "the file in Google Drive is not the key file that was put there";
    Error::new(ErrorKind::Damaged, message)
}

#[cfg(test)]
mod tests {
    use backup_core::{ClientId, CustodianId, EncryptionContext, KeyPrefix};

    use super::*;

    const GOLDEN: &str = include_str!("../tests/vectors/key-file");

    fn name() -> KeyName {
        let custodian = CustodianId::new("business").unwrap();
        let context = EncryptionContext::new(custodian, ClientId::new("user").unwrap());
        let name = GOLDEN.lines().nth(1).unwrap();
        KeyName::parse(&KeyPrefix::of(&context), name).unwrap()
    }

    fn key() -> EncryptionKey {
        EncryptionKey::copied_from(&std::array::from_fn(|at| 0x20 + u8::try_from(at).unwrap()))
    }

    #[test]
    fn a_key_file_is_what_the_format_says() {
        assert_eq!(write(&name(), &key()).as_slice(), GOLDEN.as_bytes());
        assert_eq!(read(&name(), GOLDEN.as_bytes()).unwrap(), key());
    }

    #[test]
    fn whatever_else_is_in_a_file_is_damaged() {
        let mut others: Vec<_> = (0..GOLDEN.len()).map(|at| GOLDEN[..at].to_owned()).collect();
        others.push(format!("{GOLDEN}\n"));
        others.push(GOLDEN.replace('\n', "\r\n"));
        others.push(GOLDEN.replace("2a2b", "2A2B"));
        others.push(GOLDEN.replace("2a2b", "2x2b"));
        others.push(GOLDEN.replace("000102", "000103"));
        for other in others {
            let error = read(&name(), other.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Damaged, "{other}");
        }
    }

    #[test]
    fn a_newer_version_says_so() {
        let newer = GOLDEN.replace("key 1", "key 2");
        let error = read(&name(), newer.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownVersion);
    }
}
