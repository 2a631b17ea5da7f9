//! A storing method in iCloud: the store that apps use, over a double whose records are in a
//! folder. So they outlast the process that the double is in, as Apple's outlast a device.

use std::{io, path::PathBuf, sync::Arc};

use backup_core::{Result, async_trait, secrecy::SecretString};
use backup_methods_icloud::{
    Container, Environment, ICloudStore, MemoryTokens, SignIn, TokenStore, WebAuthToken,
};
use backup_testkit::icloud::{API_TOKEN, CONTAINER, ICloudDouble};

use super::{
    kept_store::{Kept, before},
    recorder::Recorder,
    world::{files, replace_files},
};

const USER: &str = "user@example.com";

/// A user's iCloud, as far as a process knows. The token is in memory: whoever dies signs in again,
/// as a device of Apple's does by itself.
#[derive(Debug)]
pub struct KeptICloud {
    double: ICloudDouble,
    folder: PathBuf,
    recorder: Arc<Recorder>,
    tokens: MemoryTokens,
}

impl KeptICloud {
    /// The iCloud with the records in `folder`. Requests to it are effects of the recorder's, and
    /// so is what their answers bring.
    ///
    /// # Errors
    ///
    /// If one cannot be read.
    pub fn open(folder: PathBuf, recorder: Arc<Recorder>) -> io::Result<Arc<Self>> {
        let double = ICloudDouble::start();
        let records = files(&folder)?;
        let records = records.values().map(|json| serde_json::from_slice(json));
        double.put_back(records.collect::<Result<Vec<_>, _>>()?);
        Ok(Arc::new(Self { double, folder, recorder, tokens: MemoryTokens::default() }))
    }

    /// The store of an app on a device that signs its user in.
    ///
    /// # Errors
    ///
    /// If it cannot be set up.
    pub fn store(self: &Arc<Self>) -> Result<ICloudStore> {
        let container = Container::new(CONTAINER, Environment::Development, API_TOKEN)?;
        ICloudStore::new(container.at(self.double.url())?, self.clone(), self.clone())
    }

    fn effect(&self, name: &str) -> Result<()> {
        before(self, &self.recorder, name)
    }
}

impl Kept for KeptICloud {
    fn keep(&self) -> io::Result<()> {
        let records = self.double.records().into_iter();
        let files = records.map(|record| Ok((record.name.clone(), serde_json::to_vec(&record)?)));
        replace_files(&self.folder, &files.collect::<io::Result<_>>()?)
    }
}

#[async_trait]
impl SignIn for KeptICloud {
    fn asks(&self) -> bool {
        false
    }

    async fn sign_in(&self, _: &str) -> Result<WebAuthToken> {
        WebAuthToken::new(self.double.token(USER))
    }
}

/// Each request takes the token first, so this is before each request leaves; and the next token is
/// saved before anything is made of an answer.
#[async_trait]
impl TokenStore for KeptICloud {
    async fn load(&self) -> Result<Option<SecretString>> {
        self.effect("send to iCloud")?;
        self.tokens.load().await
    }

    async fn save(&self, token: &SecretString) -> Result<()> {
        self.effect("save the next token")?;
        self.tokens.save(token).await
    }

    async fn clear(&self) -> Result<()> {
        self.tokens.clear().await
    }
}
