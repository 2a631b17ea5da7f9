//! A storing method that keeps its keys in a folder, as a drive would: durable before it answers.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use backup_core::{
    EncryptionKey, Error, ErrorKind, KeyName, KeyPrefix, KeyStore, MethodId, Operation, Result,
    async_trait,
};

use super::recorder::{Effect, Recorder};

/// Keys in a folder, each in a file of its own.
#[derive(Clone)]
pub struct FolderStore {
    folder: PathBuf,
    recorder: Arc<Recorder>,
}

impl FolderStore {
    /// The store in `folder`, which is there. Its effects are the recorder's.
    #[must_use]
    pub fn new(folder: PathBuf, recorder: Arc<Recorder>) -> Self {
        Self { folder, recorder }
    }

    /// The id of the method that it makes.
    #[must_use]
    pub fn method_id() -> MethodId {
        MethodId::GDRIVE
    }

    fn create(&self, name: &KeyName, key: &EncryptionKey) -> io::Result<()> {
        let path = self.path(name);
        let unfinished = path.with_extension("unfinished");
        if fs::exists(&unfinished)? {
            self.remove_file(&unfinished)?;
        }
        self.recorder.before(&Effect::Create(unfinished.clone()))?;
        let mut file = OpenOptions::new().write(true).create_new(true).open(&unfinished)?;
        let hex = base16ct::lower::encode_string(key.expose());
        self.recorder.before(&Effect::Write(unfinished.clone(), hex))?;
        file.write_all(key.expose())?;
        self.recorder.before(&Effect::Sync(unfinished.clone()))?;
        file.sync_all()?;
        self.recorder.before(&Effect::Rename(unfinished.clone(), path.clone()))?;
        fs::rename(&unfinished, &path)?;
        self.sync_names()
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.recorder.before(&Effect::Remove(path.to_owned()))?;
        fs::remove_file(path)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.recorder.before(&Effect::SyncFolder(self.folder.clone()))?;
        File::open(&self.folder)?.sync_all()
    }

    fn path(&self, name: &KeyName) -> PathBuf {
        self.folder.join(name.as_str())
    }
}

#[async_trait]
impl KeyStore for FolderStore {
    fn id(&self) -> MethodId {
        Self::method_id()
    }

    async fn check(&self, _: &Operation<'_>) -> Result<()> {
        Ok(())
    }

    async fn put(&self, op: &Operation<'_>, name: &KeyName, key: &EncryptionKey) -> Result<()> {
        match self.get(op, name).await {
            Ok(stored) if stored == *key => self.sync_names().map_err(unavailable),
            Ok(_) => Err(Error::new(ErrorKind::Conflict, "the name is taken by another key")),
            Err(_) => self.create(name, key).map_err(unavailable),
        }
    }

    async fn get(&self, _: &Operation<'_>, name: &KeyName) -> Result<EncryptionKey> {
        let bytes = match fs::read(self.path(name)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::new(ErrorKind::NotFound, "the key is not in the folder"));
            }
            Err(error) => return Err(unavailable(error)),
        };
        let bytes = bytes.as_slice().try_into();
        let bytes = bytes.map_err(|_| Error::new(ErrorKind::Damaged, "the key is damaged"))?;
        Ok(EncryptionKey::copied_from(bytes))
    }

    async fn delete(&self, _: &Operation<'_>, name: &KeyName) -> Result<()> {
        let path = self.path(name);
        if fs::exists(&path).map_err(unavailable)? {
            self.remove_file(&path).map_err(unavailable)?;
        }
        self.sync_names().map_err(unavailable)
    }

    async fn list(&self, _: &Operation<'_>, prefix: &KeyPrefix) -> Result<Vec<KeyName>> {
        let entries = fs::read_dir(&self.folder).map_err(unavailable)?;
        let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
        let names = names.collect::<io::Result<Vec<_>>>().map_err(unavailable)?;
        Ok(names.iter().flatten().filter_map(|name| KeyName::parse(prefix, name)).collect())
    }
}

fn unavailable(error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "the folder cannot be used").with_source(error)
}

impl fmt::Debug for FolderStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FolderStore").field("folder", &self.folder).finish_non_exhaustive()
    }
}
