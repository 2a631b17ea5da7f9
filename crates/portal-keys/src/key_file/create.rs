//! Making a key file: whole or not at all, durable, never over another.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::KeyFileError;
use crate::error::fill_random;

/// Writes `text` beside `path`, then links it there: a link, unlike a rename, replaces nothing.
pub(super) fn new_file(path: &Path, text: &[u8]) -> Result<(), KeyFileError> {
    let unfinished = beside(path)?;
    let made = write_synced(&unfinished, text)
        .map_err(|error| KeyFileError::io(path, "write", error))
        .and_then(|()| fs::hard_link(&unfinished, path).map_err(|error| not_linked(path, error)));
    // Now a second name for the file, or one that nobody will use.
    let removed = fs::remove_file(&unfinished);
    made?;
    removed.map_err(|error| KeyFileError::io(&unfinished, "remove", error))?;
    sync_folder(path).map_err(|error| KeyFileError::io(path, "make durable", error))
}

/// A name of its own, so that two who create at once do not meet before the link.
fn beside(path: &Path) -> Result<PathBuf, KeyFileError> {
    let mut random = [0; 8];
    fill_random(&mut random).map_err(|source| KeyFileError::NoRandomness { source })?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.unfinished", base16ct::lower::encode_string(&random)));
    Ok(name.into())
}

fn write_synced(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = owner_only().write(true).create_new(true).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

fn not_linked(path: &Path, error: io::Error) -> KeyFileError {
    match error.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists { path: path.into() },
        _ => KeyFileError::io(path, "create", error),
    }
}

#[cfg(unix)]
fn owner_only() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn owner_only() -> OpenOptions {
    OpenOptions::new()
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Elsewhere a folder cannot be opened to be synced.
#[cfg(not(unix))]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::options().write(true).open(path)?.sync_all()
}
