//! A storing method in Google Drive: the store that apps use, over a double whose files are in a
//! folder. So they outlast the process that the double is in, as Google's outlast a device.

use std::{io, path::PathBuf, sync::Arc};

use backup_core::{Result, async_trait};
use backup_methods_gdrive::{AccessToken, DriveStore, Place, Scope, TokenSource};
use backup_testkit::drive::{APP_DATA, DriveDouble, NewFile, Space};

use super::{
    kept_store::{Kept, before},
    recorder::Recorder,
    world::{files, replace_files},
};

const USER: &str = "user@example.com";
const APP: &str = "the-app";
/// `docs/format.md`, section 5.
const KEY_FILE: &str = "application/vnd.portal-backup.key";

/// A user's Drive, as far as a process knows.
#[derive(Debug)]
pub struct KeptDrive {
    double: DriveDouble,
    folder: PathBuf,
    recorder: Arc<Recorder>,
}

impl KeptDrive {
    /// The Drive with the files in `folder`. Requests to it are effects of the recorder's.
    ///
    /// # Errors
    ///
    /// If one cannot be read.
    pub fn open(folder: PathBuf, recorder: Arc<Recorder>) -> io::Result<Arc<Self>> {
        let double = DriveDouble::start();
        for (name, content) in &files(&folder)? {
            let (space, mime_type) = (Space::AppData, KEY_FILE);
            let (owner, app, shared_with) = (USER, APP, None);
            double.add(&NewFile { name, space, owner, app, mime_type, content, shared_with });
        }
        Ok(Arc::new(Self { double, folder, recorder }))
    }

    /// The store of an app that has signed its user in.
    ///
    /// # Errors
    ///
    /// If it cannot be set up.
    pub fn store(self: &Arc<Self>) -> Result<DriveStore> {
        DriveStore::at(self.double.url(), self.clone(), Place::Hidden)
    }
}

impl Kept for KeptDrive {
    fn keep(&self) -> io::Result<()> {
        let files = self.double.files().into_iter().map(|file| (file.name, file.content));
        replace_files(&self.folder, &files.collect())
    }
}

/// Each request asks for a token first, so this is before each request leaves, and after the answer
/// to the one before it.
#[async_trait]
impl TokenSource for KeptDrive {
    async fn token(&self, _: Scope) -> Result<AccessToken> {
        before(self, &self.recorder, "send to Drive")?;
        Ok(AccessToken::new(self.double.token(USER, APP, &[APP_DATA])))
    }

    async fn discard(&self, _: &AccessToken) -> Result<()> {
        Ok(())
    }
}
