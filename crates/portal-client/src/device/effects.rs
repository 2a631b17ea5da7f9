//! Every effect on files that this crate has, one function each.
//!
//! An observer is told before each effect, and can stop there: that is how a test finds every point
//! at which a process can die, without a list kept by hand.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::Arc,
};

/// One effect on a file, about to happen.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Effect<'a> {
    /// An empty file is created, where there is none.
    Create(&'a Path),
    /// Bytes are written to the end of a created file. They are encrypted.
    Write(&'a Path, &'a [u8]),
    /// A file's bytes are made durable.
    Sync(&'a Path),
    /// A file takes another name, and the place of what had that name.
    Rename(&'a Path, &'a Path),
    /// A file is removed.
    Remove(&'a Path),
    /// The names in a folder are made durable.
    SyncFolder(&'a Path),
}

/// Whoever is told of every effect before it happens.
///
/// Implemented by closures.
pub trait EffectObserver: Send + Sync {
    /// Takes note; an error keeps this effect from happening, and its operation fails with it.
    ///
    /// # Errors
    ///
    /// Whatever the operation is to fail with.
    fn before(&self, effect: Effect<'_>) -> io::Result<()>;
}

impl<F: Fn(Effect<'_>) -> io::Result<()> + Send + Sync> EffectObserver for F {
    fn before(&self, effect: Effect<'_>) -> io::Result<()> {
        self(effect)
    }
}

/// The effects, with whoever observes them.
#[derive(Clone, Default)]
pub(super) struct Effects(Option<Arc<dyn EffectObserver>>);

impl Effects {
    pub(super) fn observed_by(observer: Arc<dyn EffectObserver>) -> Self {
        Self(Some(observer))
    }

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

    fn tell(&self, effect: Effect<'_>) -> io::Result<()> {
        self.0.as_ref().map_or(Ok(()), |observer| observer.before(effect))
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effects").field("observed", &self.0.is_some()).finish()
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
