//! The file with the first custodian's API key, which the operator takes away.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use super::{CUSTODIAN_FILE, StartError};
use crate::api_key::ApiKey;

/// Writes the key whole or not at all, durably, in the place of one that was never good.
pub(super) fn write(folder: &Path, key: &ApiKey) -> Result<(), StartError> {
    let path = folder.join(CUSTODIAN_FILE);
    let unfinished = path.with_extension("key.unfinished");
    replace(folder, &unfinished, &path, key).map_err(StartError::folder(path))
}

fn replace(folder: &Path, unfinished: &Path, path: &Path, key: &ApiKey) -> io::Result<()> {
    let mut file = owner_only().write(true).create(true).truncate(true).open(unfinished)?;
    file.write_all(key.expose().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(unfinished, path)?;
    sync_names(folder)
}

fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(unix)]
fn sync_names(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened to be synced; the system keeps names in order itself.
#[cfg(not(unix))]
fn sync_names(_: &Path) -> io::Result<()> {
    Ok(())
}
