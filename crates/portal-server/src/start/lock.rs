//! One process to a data folder.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::Path,
};

use super::{LOCK_FILE, StartError};

/// Makes the folder if it is not there, and takes it for this process until the file is closed.
pub(super) fn folder(folder: &Path) -> Result<File, StartError> {
    fs::create_dir_all(folder).map_err(StartError::folder(folder))?;
    let path = folder.join(LOCK_FILE);
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(StartError::folder(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse(folder.into())),
        Err(TryLockError::Error(source)) => Err(StartError::folder(path)(source)),
    }
}
