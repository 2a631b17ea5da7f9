//! One file of the device, replaced whole or not at all.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use backup_core::{Error, ErrorKind, Result};

use crate::effect::Effects;

/// A file and the name under which its successor is written.
#[derive(Debug)]
pub(super) struct Replaceable {
    path: PathBuf,
    successor: PathBuf,
    folder: PathBuf,
    effects: Effects,
}

impl Replaceable {
    pub(super) fn new(folder: &Path, name: &str, effects: Effects) -> Self {
        Self {
            path: folder.join(name),
            successor: folder.join(format!("{name}.new")),
            folder: folder.to_owned(),
            effects,
        }
    }

    /// The file's bytes, made durable before they are given: nobody may act on what a loss of power
    /// would still undo.
    pub(super) fn read_durably(&self) -> Result<Option<Vec<u8>>> {
        self.try_read_durably().map_err(|error| unavailable("read", error))
    }

    /// Replaces the file: write, sync, read back, rename, sync the folder. Until the rename the old
    /// bytes stand, and `is_right` decides over the new ones as they were read back.
    pub(super) fn replace(
        &self,
        bytes: &[u8],
        is_right: impl FnOnce(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let read_back = self.write_successor(bytes).map_err(|error| unavailable("write", error))?;
        if read_back != bytes {
            return Err(Error::new(
                ErrorKind::Damaged,
                "the disk returns other bytes than were written; nothing was replaced",
            ));
        }
        is_right(&read_back)?;
        self.move_into_place().map_err(|error| unavailable("replace", error))
    }

    pub(super) fn remove(&self) -> Result<()> {
        let removed = self
            .effects
            .remove(&self.successor)
            .and_then(|()| self.effects.remove(&self.path))
            .and_then(|()| self.effects.sync_folder(&self.folder));
        removed.map_err(|error| unavailable("remove", error))
    }

    fn try_read_durably(&self) -> io::Result<Option<Vec<u8>>> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.effects.sync_folder(&self.folder)?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        // Some systems sync only what is open for writing.
        let file = OpenOptions::new().write(true).open(&self.path)?;
        self.effects.sync(&self.path, &file)?;
        self.effects.sync_folder(&self.folder)?;
        Ok(Some(bytes))
    }

    fn write_successor(&self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.effects.remove(&self.successor)?;
        let mut file = self.effects.create(&self.successor)?;
        self.effects.write(&self.successor, &mut file, bytes)?;
        self.effects.sync(&self.successor, &file)?;
        drop(file);
        fs::read(&self.successor)
    }

    fn move_into_place(&self) -> io::Result<()> {
        self.effects.rename(&self.successor, &self.path)?;
        self.effects.sync_folder(&self.folder)
    }
}

pub(super) fn unavailable(attempt: &str, error: io::Error) -> Error {
    let message = format!("cannot {attempt} what the device keeps; check its folder and disk");
    Error::new(ErrorKind::Unavailable, message).with_source(error)
}
