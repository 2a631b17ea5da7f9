//! Files that hold one secret as one line.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use backup_core::{
    DataKey,
    secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing},
};
use portal_client::ApiKey;

use crate::{
    durable,
    failure::{Failure, Kind},
};

/// Reads the one line of the file at `path`, or of standard input for `-`.
pub(crate) fn read_line(path: &Path) -> Result<SecretString, Failure> {
    let bytes = read(path).map_err(|error| Failure::of_file("read", path, &error))?;
    let text = str::from_utf8(&bytes).map_err(|_| not_one_line(path))?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains('\n') || bytes.len() > MAX_LEN {
        return Err(not_one_line(path));
    }
    Ok(SecretString::from(line))
}

/// The same, of a file that nobody but its owner may read or write, where the system knows owners.
#[cfg(feature = "pkcs11")]
pub(crate) fn read_private_line(path: &Path) -> Result<SecretString, Failure> {
    refuse_too_open(path)?;
    read_line(path)
}

/// Reads an API key as [`read_line`] reads a line.
pub(crate) fn read_api_key(path: &Path) -> Result<ApiKey, Failure> {
    ApiKey::new(read_line(path)?.expose_secret()).map_err(|error| {
        Failure::new(Kind::Damaged, format!("{} holds no API key: {error}", path.display()))
    })
}

/// Creates a file of one line that only its owner may read.
pub(crate) fn create(path: &Path, secret: &str) -> Result<(), Failure> {
    let line = Zeroizing::new(format!("{secret}\n"));
    durable::create(path, line.as_bytes())
}

/// Creates a file with a fresh key.
pub(crate) fn create_key(path: &Path) -> Result<DataKey, Failure> {
    let key = DataKey::generate()?;
    create(path, &Zeroizing::new(base16ct::lower::encode_string(key.expose())))?;
    Ok(key)
}

/// Reads what [`create_key`] wrote.
pub(crate) fn read_key(path: &Path) -> Result<DataKey, Failure> {
    let line = read_line(path)?;
    DataKey::try_init_with(|bytes| {
        let decoded = base16ct::lower::decode(line.expose_secret(), bytes).map(<[u8]>::len);
        if decoded == Ok(32) { Ok(()) } else { Err(not_a_key(path)) }
    })
}

/// More than any secret here has.
const MAX_LEN: usize = 8 * 1024;

/// Allocated once: growing would leave copies behind that nobody wipes.
fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_LEN + 64));
    let limit = MAX_LEN as u64 + 1;
    if path == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

#[cfg(all(feature = "pkcs11", unix))]
fn refuse_too_open(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;

    let metadata = path.metadata().map_err(|error| Failure::of_file("read", path, &error))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let message = format!(
        "others may use {} (mode {mode:04o}); run chmod 600 on it, and consider whether anybody \
         has read it",
        path.display()
    );
    Err(Failure::new(Kind::Usage, message))
}

/// Elsewhere a file is as open as its folder, which is the operator's to close.
#[cfg(all(feature = "pkcs11", not(unix)))]
fn refuse_too_open(_: &Path) -> Result<(), Failure> {
    Ok(())
}

fn not_one_line(path: &Path) -> Failure {
    let message = format!("{} does not hold one line of text", path.display());
    Failure::new(Kind::Damaged, message)
}

fn not_a_key(path: &Path) -> Failure {
    let message = format!("{} does not hold a key of 64 hexadecimal digits", path.display());
    Failure::new(Kind::Damaged, message)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn one_line_end_does_not_count_and_spaces_do() {
        for (contents, expected) in [("a b ", "a b "), ("x\n", "x"), ("x\r\n", "x"), ("", "")] {
            assert_eq!(of(contents.as_bytes()).unwrap().expose_secret(), expected);
        }
    }

    #[test]
    fn two_lines_binary_data_and_long_files_are_refused() {
        for contents in [&b"a\nb"[..], b"a\n\n", &[0xff], &[b'x'; MAX_LEN + 1]] {
            assert_eq!(of(contents).unwrap_err().kind(), Kind::Damaged);
        }
    }

    #[test]
    fn a_key_is_read_as_it_was_made_and_anything_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert_eq!(create_key(&path).unwrap(), read_key(&path).unwrap());
        for wrong in ["0a", &"0A".repeat(32), &"0a".repeat(33)] {
            fs::write(&path, wrong).unwrap();
            assert_eq!(read_key(&path).unwrap_err().kind(), Kind::Damaged, "{wrong}");
        }
    }

    fn of(contents: &[u8]) -> Result<SecretString, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, contents).unwrap();
        read_line(&path)
    }
}
