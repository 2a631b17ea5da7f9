//! Keys as files in the user's own Google Drive.

use std::{fmt, sync::Arc, time::Duration};

use backup_cloud::Waits;
use backup_core::{
    EncryptionKey, Error, ErrorKind, KeyName, KeyPrefix, KeyStore, MethodId, Operation, Purpose,
    Result, async_trait,
};
use tokio::sync::Mutex;

use crate::{
    DriveProblem, Place, TokenSource,
    drive::{Asking, Drive, FOLDER, File, Http, Made},
    key_file,
};

/// Keeps each key in a file of its own in the user's Google Drive.
///
/// `StoredKey::new(store)` makes the backup method of it. A store is one account: that of the
/// token source.
///
/// Drive lets any number of files have one name. Of several under the name of a key, the one that
/// was made first counts; who made another meanwhile is told so, and takes its own away.
#[derive(Clone)]
pub struct DriveStore(Arc<Inner>);

struct Inner {
    drive: Drive,
    /// The visible folder's id, once it is known.
    folder: Mutex<Option<String>>,
    /// The id of the next file, if a check has got one from Drive.
    next_id: Mutex<Option<String>>,
}

/// By this type, key files are found whatever their names.
const KEY_FILE: &str = "application/vnd.portal-backup.key";
/// Copies of one name that are read to find a key among them.
const MAX_COPIES: usize = 16;

impl DriveStore {
    /// A store in this place of the Drive of the user whom `tokens` signs in.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if the device cannot speak HTTPS.
    pub fn new(tokens: Arc<dyn TokenSource>, place: Place) -> Result<Self> {
        Ok(Self::over(Http::google()?, tokens, place))
    }

    /// The same at another server: a double of Drive, in tests. Without TLS it has to be on this
    /// machine.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if `url` is no such server.
    pub fn at(url: &str, tokens: Arc<dyn TokenSource>, place: Place) -> Result<Self> {
        Ok(Self::over(Http::new(url)?, tokens, place))
    }

    fn over(http: Http, tokens: Arc<dyn TokenSource>, place: Place) -> Self {
        let drive = Drive::new(http, tokens, place);
        Self(Arc::new(Inner { drive, folder: Mutex::default(), next_id: Mutex::default() }))
    }

    /// For how long a call is repeated while Google does not answer, asks to wait, or does not show
    /// a new file: 30 seconds, unless an app says otherwise.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the store has handles already.
    pub fn with_patience(self, patience: Duration) -> Result<Self> {
        let inner = Arc::into_inner(self.0).ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "set the patience before the store is shared")
        })?;
        let drive = inner.drive.with_patience(patience);
        Ok(Self(Arc::new(Inner { drive, ..inner })))
    }

    pub(crate) fn drive(&self) -> &Drive {
        &self.0.drive
    }
}

impl fmt::Debug for DriveStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriveStore").field("place", self.drive().place()).finish_non_exhaustive()
    }
}

#[async_trait]
impl KeyStore for DriveStore {
    fn id(&self) -> MethodId {
        MethodId::GDRIVE
    }

    /// Whether the user has to sign in is not known before they are asked, so that is no failure
    /// where they can be asked.
    async fn check(&self, op: &Operation<'_>) -> Result<()> {
        match self.0.check(op.purpose()).await {
            Err(error)
                if self.drive().asks()
                    && DriveProblem::of(&error) == Some(&DriveProblem::SignInNeeded) =>
            {
                Ok(())
            }
            checked => checked,
        }
    }

    async fn put(&self, op: &Operation<'_>, name: &KeyName, key: &EncryptionKey) -> Result<()> {
        let asking = Asking::With(op);
        let id = self.0.create(asking, name, key).await?;
        let files = self.0.wait_until_shown(asking, name, &id).await?;
        let own = self.drive().download(asking, &id, key_file::MAX_LEN).await?;
        if own.as_ref().map(|file| key_file::read(name, file)).transpose()?.as_ref() != Some(key) {
            return Err(Error::new(
                ErrorKind::Damaged,
                "Google Drive does not give back what was put into it",
            ));
        }
        self.0.yield_to_earlier(asking, (name, key), &id, &files).await
    }

    fn reads_back(&self) -> bool {
        true
    }

    async fn get(&self, op: &Operation<'_>, name: &KeyName) -> Result<EncryptionKey> {
        let asking = Asking::With(op);
        let files = self.drive().find(asking, &is_named(name.as_str())).await?;
        let mut failure = None;
        for file in files.iter().take(MAX_COPIES) {
            match self.0.read(asking, name, file).await {
                Ok(Some(key)) => return Ok(key),
                Ok(None) => {}
                Err(error) if is_in_file(&error) => failure = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(match failure {
            Some(error) => error,
            None => self.0.not_found(asking).await?,
        })
    }

    async fn delete(&self, _: &Operation<'_>, name: &KeyName) -> Result<()> {
        for file in self.drive().find(Asking::Never, &is_named(name.as_str())).await? {
            self.drive().delete(Asking::Never, &file.id).await?;
        }
        Ok(())
    }

    async fn list(&self, _: &Operation<'_>, prefix: &KeyPrefix) -> Result<Vec<KeyName>> {
        let q = format!("mimeType = '{KEY_FILE}'");
        let files = self.drive().find(Asking::Never, &q).await?;
        let names = files.iter().filter_map(|file| KeyName::parse(prefix, &file.name));
        let mut names: Vec<_> = names.collect();
        names.sort();
        names.dedup();
        Ok(names)
    }
}

impl Inner {
    /// Asks Drive for what a put will need, so that it costs nothing: an id, and the folder. Looks
    /// into the place otherwise, which takes the scope for it.
    ///
    /// Whether there is room, and the scope for new files, only the put tells.
    async fn check(&self, purpose: Purpose) -> Result<()> {
        let asking = Asking::Never;
        if purpose != Purpose::Enroll {
            let nothing = is_named("no key has this name");
            return self.drive.find(asking, &nothing).await.map(drop);
        }
        let mut next_id = self.next_id.lock().await;
        *next_id = Some(self.drive.generate_id(asking).await?);
        if let Place::Folder(name) = self.drive.place() {
            let mut folder = self.folder.lock().await;
            if folder.is_none() {
                *folder = self.find_folder(asking, name).await?;
            }
        }
        Ok(())
    }

    /// Makes a file, whatever else has its name; its id.
    ///
    /// Drive makes no second file of one id, so a request whose answer was lost is repeated safely.
    async fn create(
        &self,
        asking: Asking<'_>,
        name: &KeyName,
        key: &EncryptionKey,
    ) -> Result<String> {
        let content = key_file::write(name, key);
        let next_id = self.next_id.lock().await.take();
        let id = match next_id {
            Some(id) => id,
            None => self.drive.generate_id(asking).await?,
        };
        for _ in 0..2 {
            let folder = self.folder(asking).await?;
            let file = (id.as_str(), name.as_str(), folder.as_str());
            match self.drive.create(asking, file, KEY_FILE, &content).await? {
                Made::Done => return Ok(id),
                Made::NoFolder => *self.folder.lock().await = None,
            }
        }
        let message = "the folder in Google Drive is taken away as soon as it is made";
        Err(Error::new(ErrorKind::Unavailable, message))
    }

    /// The id of the folder for new files; made if there is none.
    ///
    /// Two devices may make one each at the same time: keys are found wherever they lie.
    async fn folder(&self, asking: Asking<'_>) -> Result<String> {
        let Place::Folder(name) = self.drive.place() else {
            return Ok(self.drive.place().space().to_owned());
        };
        let mut known = self.folder.lock().await;
        if let Some(id) = &*known {
            return Ok(id.clone());
        }
        let id = match self.find_folder(asking, name).await? {
            Some(id) => id,
            None => self.drive.create_folder(asking, name).await?,
        };
        Ok(known.insert(id).clone())
    }

    async fn find_folder(&self, asking: Asking<'_>, name: &str) -> Result<Option<String>> {
        let q = format!("{} and mimeType = '{FOLDER}' and trashed = false", is_named(name));
        Ok(self.drive.find(asking, &q).await?.into_iter().next().map(|folder| folder.id))
    }

    /// All files of this name, once the one with this id is among them: until then a new device
    /// would not find it.
    async fn wait_until_shown(
        &self,
        asking: Asking<'_>,
        name: &KeyName,
        id: &str,
    ) -> Result<Vec<File>> {
        let mut waits = Waits::begin(self.drive.patience());
        loop {
            let files = self.drive.find(asking, &is_named(name.as_str())).await?;
            if files.iter().any(|file| file.id == id) {
                return Ok(files);
            }
            if !waits.next(None).await {
                let message = "Google Drive does not show the new key file yet; try again later";
                return Err(Error::new(ErrorKind::Unavailable, message));
            }
        }
    }

    /// Of files with one name the first counts. Ours goes if an earlier one holds a key.
    async fn yield_to_earlier(
        &self,
        asking: Asking<'_>,
        (name, key): (&KeyName, &EncryptionKey),
        id: &str,
        files: &[File],
    ) -> Result<()> {
        for file in files.iter().take_while(|file| file.id != id).take(MAX_COPIES) {
            let earlier = match self.read(asking, name, file).await {
                Ok(Some(earlier)) => earlier,
                Ok(None) => continue,
                Err(error) if error.kind() == ErrorKind::Damaged => continue,
                Err(error) => return Err(error),
            };
            if earlier != *key {
                self.drive.delete(asking, id).await?;
                let message = "Google Drive keeps another key under this name";
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            // What is in the trash does not stay.
            if !file.trashed {
                return self.drive.delete(asking, id).await;
            }
        }
        Ok(())
    }

    /// The key in a file; `None` if the file is gone.
    async fn read(
        &self,
        asking: Asking<'_>,
        name: &KeyName,
        file: &File,
    ) -> Result<Option<EncryptionKey>> {
        let content = self.drive.download(asking, &file.id, key_file::MAX_LEN).await?;
        content.map(|content| key_file::read(name, &content)).transpose()
    }

    /// Says in whose Drive the key is not.
    async fn not_found(&self, asking: Asking<'_>) -> Result<Error> {
        let account = self.drive.about(asking).await?.user.email_address;
        let account = account.as_deref().and_then(masked).unwrap_or_else(|| "this account".into());
        let why = match self.drive.place() {
            Place::Hidden => "the backup is in another account, or the app was disconnected",
            Place::Folder(_) => "the backup is in another account, or its file was deleted",
        };
        let message = format!("the Google Drive of {account} does not have the key: {why}");
        Ok(Error::new(ErrorKind::NotFound, message))
    }
}

/// Whether it is the file that is wrong, so that a copy of it may be right.
fn is_in_file(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Damaged | ErrorKind::UnknownVersion)
}

/// A condition of Drive's query language, in which `\` and `'` are escaped.
pub(crate) fn is_named(name: &str) -> String {
    format!("name = '{}'", name.replace('\\', r"\\").replace('\'', r"\'"))
}

/// Enough of an address for its owner to know it: `a…z@example.com`.
fn masked(address: &str) -> Option<String> {
    let (user, domain) = address.rsplit_once('@')?;
    let (first, last) = (user.chars().next()?, user.chars().next_back()?);
    Some(format!("{first}…{last}@{domain}"))
}
