//! The effects on files, one function each.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use crate::effect::{Effect, Effects};

impl Effects {
    /// A new file that its owner alone may read.
    pub(super) fn create(&self, path: &Path) -> io::Result<File> {
        self.tell(Effect::Create(path))?;
        owner_only().write(true).create_new(true).open(path)
    }

    pub(super) fn write(&self, path: &Path, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        self.tell(Effect::Write(path, bytes))?;
        file.write_all(bytes)
    }

    pub(super) fn sync(&self, path: &Path, file: &File) -> io::Result<()> {
        self.tell(Effect::Sync(path))?;
        file.sync_all()
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.tell(Effect::Rename(from, to))?;
        fs::rename(from, to)
    }

    /// Removes a file; one that is not there is fine.
    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        if !fs::exists(path)? {
            return Ok(());
        }
        self.tell(Effect::Remove(path))?;
        fs::remove_file(path)
    }

    pub(super) fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.tell(Effect::SyncFolder(folder))?;
        sync_names(folder)
    }
}

/// The file by which processes take turns. It holds nothing, so nothing about it need be durable.
pub(super) fn lock_file(path: &Path) -> io::Result<File> {
    owner_only().write(true).create(true).truncate(false).open(path)
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
