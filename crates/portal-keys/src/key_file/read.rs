//! Opening a key file that its owner alone can read.

use std::{
    fs::{File, Metadata},
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

use super::{KeyFileError, text::MAX_LEN};

/// The bytes of the file, of which at most [`MAX_LEN`] are read.
pub(super) fn key_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let file = File::open(path).map_err(|error| not_opened(path, error))?;
    let metadata = file.metadata().map_err(|error| KeyFileError::io(path, "look at", error))?;
    if !metadata.is_file() {
        return Err(KeyFileError::Damaged { path: path.into() });
    }
    refuse_too_open(path, &metadata)?;
    // The buffer never grows, so no copy of the key is left behind.
    let mut bytes = Zeroizing::new(vec![0; MAX_LEN + 1]);
    let len =
        read_up_to(file, &mut bytes).map_err(|error| KeyFileError::io(path, "read", error))?;
    bytes.truncate(len);
    if len > MAX_LEN {
        return Err(KeyFileError::Damaged { path: path.into() });
    }
    Ok(bytes)
}

fn read_up_to(mut file: File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match file.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}

fn not_opened(path: &Path, error: io::Error) -> KeyFileError {
    match error.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing { path: path.into() },
        _ => KeyFileError::io(path, "open", error),
    }
}

#[cfg(unix)]
fn refuse_too_open(path: &Path, metadata: &Metadata) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(KeyFileError::TooOpen { path: path.into(), mode })
}

/// Elsewhere a file is as open as its folder, which is the operator's to close.
#[cfg(not(unix))]
fn refuse_too_open(_: &Path, _: &Metadata) -> Result<(), KeyFileError> {
    Ok(())
}
