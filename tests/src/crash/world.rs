//! The folders of a world: devices, the service, and the place where the storing method keeps keys.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use backup_testkit::Files;

/// All that outlasts a process. Whoever copies its folder has another world.
#[derive(Clone, Debug)]
pub struct World {
    root: PathBuf,
}

impl World {
    /// A world in which nothing has happened.
    ///
    /// # Errors
    ///
    /// If its folders cannot be made.
    pub fn empty(root: &Path, devices: &[&str]) -> io::Result<Self> {
        let world = Self { root: root.to_owned() };
        for device in devices {
            fs::create_dir_all(world.device(device))?;
        }
        fs::create_dir_all(world.keys())?;
        fs::create_dir_all(world.keychain())?;
        fs::create_dir_all(world.service())?;
        fs::create_dir_all(world.custodian())?;
        Ok(world)
    }

    /// The same world once more, in the place of what is at `root`.
    ///
    /// # Errors
    ///
    /// If it cannot be copied.
    pub fn copy_to(&self, root: &Path) -> io::Result<Self> {
        if fs::exists(root)? {
            fs::remove_dir_all(root)?;
        }
        copy(&self.root, root)?;
        Ok(Self { root: root.to_owned() })
    }

    /// The folder of a device, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn new_device(&self, device: &str) -> io::Result<PathBuf> {
        let folder = self.device(device);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// The folder of a device.
    #[must_use]
    pub fn device(&self, device: &str) -> PathBuf {
        self.root.join("devices").join(device)
    }

    /// The folder of the storing method.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The home of the keychain's daemon, where there is one.
    #[must_use]
    pub fn keychain(&self) -> PathBuf {
        self.root.join("keychain")
    }

    /// The data folder of the service.
    #[must_use]
    pub fn service(&self) -> PathBuf {
        self.root.join("service")
    }

    /// The folder of a custodian that keeps its halves itself.
    #[must_use]
    pub fn custodian(&self) -> PathBuf {
        self.root.join("custodian")
    }

    /// What the app keeps of the client.
    #[must_use]
    pub fn client(&self) -> PathBuf {
        self.root.join("client.json")
    }
}

/// The files of a folder, without those below it.
///
/// # Errors
///
/// If one cannot be read.
pub fn files(folder: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            files.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(files)
}

/// Makes a folder hold these files and nothing else.
///
/// # Errors
///
/// If one cannot be written.
pub fn replace_files(folder: &Path, files: &Files) -> io::Result<()> {
    fs::remove_dir_all(folder)?;
    fs::create_dir(folder)?;
    files.iter().try_for_each(|(name, bytes)| {
        let mut options = OpenOptions::new();
        // Keys that others may read are refused.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.write(true).create_new(true).open(folder.join(name))?.write_all(bytes)
    })
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
