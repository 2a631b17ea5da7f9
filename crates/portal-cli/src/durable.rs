//! Files and folders that are there after a power cut, whole or not at all.

use std::{
    fs::{self, File},
    io,
    io::Write,
    path::{Path, PathBuf},
};

use tempfile::{NamedTempFile, TempDir};

use crate::failure::Failure;

/// Creates `path` with `contents` for its owner alone, and returns once both file and name are on
/// the disk.
///
/// Nothing is overwritten: if `path` exists, this fails.
pub(crate) fn create(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    let written =
        write(path, contents, |file| file.persist_noclobber(path).map_err(io::Error::from));
    written.map_err(|error| Failure::of_file("write", path, &error))
}

/// Puts `contents` at `path` for its owner alone, in place of what was there: the old file or the
/// new one is on the disk, whole.
#[cfg(any(feature = "gdrive", feature = "icloud"))]
pub(crate) fn replace(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    let written = write(path, contents, |file| file.persist(path).map_err(io::Error::from));
    written.map_err(|error| Failure::of_file("write", path, &error))
}

/// A file that is written bit by bit, and has no name until it is whole.
pub(crate) struct Draft {
    file: NamedTempFile,
    path: PathBuf,
}

impl Draft {
    /// Begins what is to be at `path`, for its owner alone.
    pub(crate) fn begin(path: PathBuf) -> Result<Self, Failure> {
        match begin(&path) {
            Ok(file) => Ok(Self { file, path }),
            Err(error) => Err(Failure::of_file("write", &path, &error)),
        }
    }

    /// Gives it its name, once it is on the disk. Nothing is overwritten.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let Self { file, path } = self;
        let name = |file: NamedTempFile| file.persist_noclobber(&path).map_err(io::Error::from);
        finish(file, &path, name).map_err(|error| Failure::of_file("write", &path, &error))
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Gives a folder whose files are durable its name.
///
/// Nothing is overwritten: if there is something at `path` but an empty folder, this fails.
pub(crate) fn rename_folder(folder: TempDir, path: &Path) -> Result<(), Failure> {
    sync_folder(folder.path())
        .and_then(|()| fs::rename(folder.path(), path))
        .and_then(|()| path.parent().map_or(Ok(()), sync_folder))
        .map_err(|error| Failure::of_file("write", path, &error))?;
    // It is not there any more under the name that would be removed.
    let _ = folder.keep();
    Ok(())
}

/// Writes a file beside `path`, which `name` then gives its name.
fn write(
    path: &Path,
    contents: &[u8],
    name: impl FnOnce(NamedTempFile) -> io::Result<File>,
) -> io::Result<()> {
    let mut file = begin(path)?;
    file.write_all(contents)?;
    finish(file, path, name)
}

fn begin(path: &Path) -> io::Result<NamedTempFile> {
    NamedTempFile::new_in(path.parent().ok_or(io::ErrorKind::InvalidInput)?)
}

fn finish(
    file: NamedTempFile,
    path: &Path,
    name: impl FnOnce(NamedTempFile) -> io::Result<File>,
) -> io::Result<()> {
    file.as_file().sync_all()?;
    name(file)?;
    path.parent().map_or(Ok(()), sync_folder)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened, and the file system keeps names itself.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_created_is_there_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        create(&path, b"one").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_takes_its_name_with_all_that_is_in_it_unless_the_name_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("named");
        for contents in ["one", "two"] {
            let new = tempfile::tempdir_in(folder.path()).unwrap();
            create(&new.path().join("a"), contents.as_bytes()).unwrap();
            assert_eq!(rename_folder(new, &path).is_ok(), contents == "one");
        }
        assert_eq!(fs::read(path.join("a")).unwrap(), b"one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(any(feature = "gdrive", feature = "icloud"))]
    #[test]
    fn what_is_replaced_is_there_once_and_new() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for contents in [b"one", b"two"] {
            replace(&path, contents).unwrap();
            assert_eq!(fs::read(&path).unwrap(), contents);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_what_was_created() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        create(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        create(&path, b"one").unwrap();
        assert!(create(&path, b"two").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
