//! A device: a folder, and the app on it.

use std::{fs, path::PathBuf, sync::Arc};

use backup_core::{DataKey, EncryptionContext};
use backup_methods_password::Password;
use portal_client::{ApiKey, Portal, custodian, device::DeviceStore};

use super::{narrator::Narrator, scripted::User, service::Service};
use crate::{failure::Failure, secret_file};

/// What an app is told by the business when its user logs in.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) service: String,
    pub(super) client: EncryptionContext,
    pub(super) api_key: ApiKey,
}

impl Login {
    /// What the business gets when it makes a client.
    pub(super) async fn of_new_user(service: &Service) -> Result<Self, Failure> {
        let custodian_key = secret_file::read_api_key(&service.custodian_key_file)?;
        let (client, api_key) = custodian::create_client(&service.url, &custodian_key).await?;
        Ok(Self { service: service.url.clone(), client, api_key })
    }
}

/// One device of the user's, with an app on it that knows the user's login.
#[derive(Debug)]
pub(super) struct Device {
    folder: PathBuf,
    key: DataKey,
    narrator: Narrator,
}

impl Device {
    pub(super) fn buy(folder: PathBuf, narrator: &Narrator) -> Result<Self, Failure> {
        fs::create_dir(&folder).map_err(|error| Failure::of_file("make", &folder, &error))?;
        Ok(Self { folder, key: DataKey::generate()?, narrator: narrator.clone() })
    }

    /// Starts the app; its user will type what the script says.
    pub(super) fn start_app(
        &self,
        login: &Login,
        script: &'static [&'static str],
    ) -> Result<Portal, Failure> {
        let key = DataKey::copied_from(self.key.expose());
        let store = DeviceStore::new(&self.folder, login.client.clone(), key);
        let user = User::typing(script, &self.narrator);
        let api_key = ApiKey::new(login.api_key.expose())?;
        Ok(Portal::builder(&login.service, api_key, store)
            .method(Arc::new(Password::new(user)))
            .build()?)
    }

    /// Everything on it is gone, for good.
    pub(super) fn lose(self) -> Result<(), Failure> {
        fs::remove_dir_all(&self.folder)
            .map_err(|error| Failure::of_file("remove", &self.folder, &error))
    }
}
