//! One process to a data folder.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use super::{LOCK_FILE, StartError, files};

/// Makes the folder if it is not there, and takes it for this process until the file is closed.
pub(super) fn folder(folder: &Path) -> Result<File, StartError> {
    files::make_folder(folder).map_err(StartError::folder(folder))?;
    let path = folder.join(LOCK_FILE);
    let file = files::make_file(&path).map_err(StartError::folder(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse(folder.into())),
        Err(TryLockError::Error(source)) => Err(StartError::folder(path)(source)),
    }
}
