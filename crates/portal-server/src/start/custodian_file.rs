//! The file with the first custodian's API key, which the operator takes away.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use super::{CUSTODIAN_FILE, StartError, files};
use crate::api_key::ApiKey;

/// Writes the key whole or not at all, durably, in the place of one that was never good.
pub(super) fn write(folder: &Path, key: &ApiKey) -> Result<(), StartError> {
    let path = folder.join(CUSTODIAN_FILE);
    let unfinished = path.with_extension("key.unfinished");
    replace(folder, &unfinished, &path, key).map_err(StartError::folder(path))
}

fn replace(folder: &Path, unfinished: &Path, path: &Path, key: &ApiKey) -> io::Result<()> {
    let mut file = files::make_anew(unfinished)?;
    file.write_all(key.expose().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(unfinished, path)?;
    files::sync_names(folder)
}
