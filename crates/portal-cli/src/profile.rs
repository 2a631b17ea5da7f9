//! A profile: the folder in which one device keeps what it has of one wallet.

mod record;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use backup_core::{BackupMethod, DataKey, EncryptionContext, MethodId};
use clap::Args;
use etcetera::BaseStrategy;
use portal_client::{ApiKey, Portal, PortalBuilder, device::DeviceStore};

use self::record::{KeyPlace, Record};
#[cfg(feature = "gdrive")]
use crate::google;
#[cfg(feature = "icloud")]
use crate::icloud;
#[cfg(feature = "keychain")]
use crate::keychain;
#[cfg(feature = "passkey")]
use crate::passkey;
use crate::{
    durable,
    failure::{Failure, Kind},
    secret_file,
};

/// Which profile a command is about.
#[derive(Args, Debug)]
pub(crate) struct ProfileAt {
    /// The folder of the profile; the default is one in your data folder
    ///
    /// Whoever can read this folder can sign with your half of the wallet, unless the key that
    /// encrypts its files is in your keychain and not in the folder, too. Keep it private.
    #[arg(long = "profile", value_name = "DIR", env = "PORTAL_PROFILE")]
    folder: Option<PathBuf>,
}

/// Where the key of a new profile is kept.
#[derive(Args, Debug)]
pub(crate) struct DeviceKeyAt {
    /// Keep the key that encrypts the files of the profile in the keychain of your system
    ///
    /// Then whoever has a copy of the profile's folder has nothing to sign with. Without the
    /// keychain nor have you: only a backup brings the wallet back.
    #[cfg(feature = "keychain")]
    #[arg(long)]
    device_key_in_keychain: bool,
}

/// What a command needs to speak for a device.
#[derive(Debug)]
pub(crate) struct Profile {
    folder: PathBuf,
    record: Record,
}

impl ProfileAt {
    fn folder(&self) -> Result<PathBuf, Failure> {
        if let Some(folder) = &self.folder {
            return std::path::absolute(folder)
                .map_err(|error| Failure::of_file("find", folder, &error));
        }
        let strategy = etcetera::choose_base_strategy().map_err(|error| {
            Failure::failed(format!("cannot find your data folder: {error}; use --profile"))
        })?;
        Ok(strategy.data_dir().join("portal"))
    }

    /// The profile, which must be there.
    pub(crate) fn open(&self) -> Result<Profile, Failure> {
        let folder = self.folder()?;
        let path = folder.join(RECORD);
        let bytes = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => no_profile(&folder),
            _ => Failure::of_file("read", &path, &error),
        })?;
        let record = Record::from_json(&bytes).map_err(|problem| {
            Failure::new(Kind::Damaged, format!("{}: {problem}", path.display()))
        })?;
        Ok(Profile { folder, record })
    }

    /// Where a new profile would be; there must be none.
    pub(crate) fn vacant(&self) -> Result<VacantProfile, Failure> {
        let folder = self.folder()?;
        match fs::read_dir(&folder).map(|mut entries| entries.next().is_none()) {
            Ok(true) => Ok(VacantProfile { folder }),
            Ok(false) => Err(taken(&folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(VacantProfile { folder }),
            Err(error) => Err(Failure::of_file("read", &folder, &error)),
        }
    }
}

/// Where a method keeps keys, for programs and for persons.
#[derive(Debug)]
pub(crate) struct KeysPlace {
    pub(crate) name: &'static str,
    pub(crate) words: String,
}

/// A place for a new profile.
#[derive(Debug)]
pub(crate) struct VacantProfile {
    folder: PathBuf,
}

impl VacantProfile {
    /// Makes the profile, whole or not at all. A key that was put into a keychain before that may
    /// stay there; it is the key of nothing.
    pub(crate) async fn create(
        self,
        service: &str,
        client: &EncryptionContext,
        api_key: &ApiKey,
        key_at: &DeviceKeyAt,
    ) -> Result<Profile, Failure> {
        let device_key = key_at.create(client).await?;
        let record = Record { service: service.to_owned(), client: client.clone(), device_key };
        let parent = self.folder.parent().ok_or_else(|| taken(&self.folder))?;
        fs::create_dir_all(parent).map_err(|error| Failure::of_file("make", parent, &error))?;
        let new = private_folder(parent)?;
        fs::create_dir(new.path().join(DEVICE))
            .map_err(|error| Failure::of_file("make", new.path(), &error))?;
        if record.device_key == KeyPlace::File {
            secret_file::create_key(&new.path().join(DEVICE_KEY))?;
        }
        secret_file::create(&new.path().join(API_KEY), api_key.expose())?;
        durable::create(&new.path().join(RECORD), &record.to_json())?;
        durable::rename_folder(new, &self.folder)?;
        Ok(Profile { folder: self.folder, record })
    }
}

impl DeviceKeyAt {
    /// Makes a key that is not in the profile, if that is wanted.
    #[cfg(feature = "keychain")]
    async fn create(&self, client: &EncryptionContext) -> Result<KeyPlace, Failure> {
        if !self.device_key_in_keychain {
            return Ok(KeyPlace::File);
        }
        Ok(KeyPlace::Keychain(keychain::create_device_key(client).await?))
    }

    #[cfg(not(feature = "keychain"))]
    #[expect(clippy::unused_async, reason = "the same signature with every feature")]
    async fn create(&self, _: &EncryptionContext) -> Result<KeyPlace, Failure> {
        Ok(KeyPlace::File)
    }
}

impl Profile {
    /// Who this device speaks for.
    pub(crate) fn client(&self) -> &EncryptionContext {
        &self.record.client
    }

    /// The address of the service.
    pub(crate) fn service(&self) -> &str {
        &self.record.service
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What protects the profile, in a sentence.
    pub(crate) fn who_can_sign(&self) -> &'static str {
        match self.record.device_key {
            KeyPlace::File => {
                "Whoever has the profile's folder can sign with this device's half of the wallet."
            }
            KeyPlace::Keychain(_) => {
                "Whoever has the profile's folder and can use your keychain can sign with this \
                 device's half of the wallet."
            }
        }
    }

    /// Where a method of this device keeps its keys.
    pub(crate) fn place_of_keys(&self, method: &MethodId) -> Result<KeysPlace, Failure> {
        #[cfg(feature = "gdrive")]
        if *method == MethodId::GDRIVE {
            return Ok(google::Account::of(self)?.place_of_keys());
        }
        #[cfg(feature = "icloud")]
        if *method == MethodId::ICLOUD {
            return Ok(icloud::Account::of(self)?.place_of_keys());
        }
        #[cfg(feature = "passkey")]
        if *method == MethodId::PASSKEY {
            return Ok(passkey::SetUp::of(self)?.place_of_keys());
        }
        let _ = (self, method);
        Ok(KeysPlace { name: "keychain", words: "the keychain of your system".to_owned() })
    }

    /// Where the API key is.
    pub(crate) fn api_key_file(&self) -> PathBuf {
        self.folder.join(API_KEY)
    }

    /// With what the service knows this client.
    pub(crate) fn api_key(&self) -> Result<ApiKey, Failure> {
        secret_file::read_api_key(&self.api_key_file())
    }

    /// The wallet, with the backup methods that a command may use, and those for which the profile
    /// has what they need.
    pub(crate) async fn wallet(
        &self,
        methods: impl IntoIterator<Item = Arc<dyn BackupMethod>>,
    ) -> Result<Portal, Failure> {
        let api_key = self.api_key()?;
        let key = self.device_key().await?;
        #[cfg(feature = "gdrive")]
        let in_drive = google::Account::method_of(self, &key)?;
        #[cfg(feature = "icloud")]
        let in_icloud = icloud::Account::method_of(self, &key)?;
        #[cfg(feature = "passkey")]
        let by_passkey = passkey::SetUp::methods_of(self, &api_key)?;
        let store = DeviceStore::new(self.folder.join(DEVICE), self.client().clone(), key);
        let builder = Portal::builder(self.service(), api_key, store);
        let builder = methods.into_iter().fold(builder, PortalBuilder::method);
        #[cfg(feature = "keychain")]
        let builder = builder.method(keychain::method());
        #[cfg(feature = "gdrive")]
        let builder = in_drive.into_iter().fold(builder, PortalBuilder::method);
        #[cfg(feature = "icloud")]
        let builder = in_icloud.into_iter().fold(builder, PortalBuilder::method);
        #[cfg(feature = "passkey")]
        let builder = by_passkey.into_iter().fold(builder, PortalBuilder::method);
        Ok(builder.build()?)
    }

    /// What encrypts all that this device keeps.
    pub(crate) async fn device_key(&self) -> Result<DataKey, Failure> {
        match &self.record.device_key {
            KeyPlace::File => secret_file::read_key(&self.folder.join(DEVICE_KEY)),
            #[cfg(feature = "keychain")]
            KeyPlace::Keychain(name) => keychain::read_device_key(self.client(), name).await,
            #[cfg(not(feature = "keychain"))]
            KeyPlace::Keychain(_) => Err(Failure::new(
                Kind::State,
                "the key of this profile is in the keychain of your system, which this `portal` \
                 was built without; build it with `--features keychain`",
            )),
        }
    }
}

const RECORD: &str = "profile.json";
const API_KEY: &str = "api-key";
const DEVICE_KEY: &str = "device-key";
const DEVICE: &str = "device";

fn private_folder(parent: &Path) -> Result<tempfile::TempDir, Failure> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".portal-new-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(parent).map_err(|error| Failure::of_file("write to", parent, &error))
}

fn no_profile(folder: &Path) -> Failure {
    let message = format!(
        "there is no profile in {}; make one with `portal client new`, or on a new device with \
         `portal client import`, or name another one with --profile",
        folder.display()
    );
    Failure::new(Kind::State, message)
}

fn taken(folder: &Path) -> Failure {
    let message = format!(
        "{} is not empty, and a profile is never overwritten: it may hold a wallet; name another \
         folder with --profile",
        folder.display()
    );
    Failure::new(Kind::State, message)
}
