//! What every example needs beside its app: a service, a user of a business, and phones.

use anyhow::Result;
use backup_core::{DataKey, EncryptionContext};
use portal_client::{ApiKey, custodian, device::DeviceStore};
use portal_server::{Options, Running, Server};
use tempfile::TempDir;

/// A service on this machine, on a folder that is gone when it ends; `portal serve` is a real one.
#[derive(Debug)]
pub struct Service {
    running: Running,
    custodian_key: ApiKey,
    _folder: TempDir,
}

/// A user, as the servers of the business know it: its client, and that client's key.
#[derive(Debug)]
pub struct User {
    /// Whose wallet it is.
    pub client: EncryptionContext,
    key: ApiKey,
}

/// A phone: a folder of the app, and a key in the phone's keychain.
#[derive(Debug)]
pub struct Phone {
    folder: TempDir,
    keychain: DataKey,
}

impl Service {
    /// Starts one that keeps the encrypted backups itself.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from starting.
    pub async fn start() -> Result<Self> {
        Self::start_with(true).await
    }

    /// Starts one whose apps keep the encrypted backups: `portal serve --backup-with-portal false`.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from starting.
    pub async fn start_without_ciphertexts() -> Result<Self> {
        Self::start_with(false).await
    }

    async fn start_with(backup_with_portal: bool) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut options = Options::new(folder.path());
        options.backup_with_portal = Some(backup_with_portal);
        // A business of these examples is on this machine, too.
        options.webhooks.plain_http = true;
        options.webhooks.private_addresses = true;
        let running = Server::start(options).await?;
        let key = std::fs::read_to_string(folder.path().join("custodian.key"))?;
        Ok(Self { running, custodian_key: ApiKey::new(key.trim())?, _folder: folder })
    }

    /// Where it is asked.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.running.address())
    }

    /// The key of the business. It stays on its servers.
    #[must_use]
    pub fn custodian_key(&self) -> &ApiKey {
        &self.custodian_key
    }

    /// What the business does when a user signs up.
    ///
    /// # Errors
    ///
    /// As [`custodian::create_client`].
    pub async fn sign_up(&self) -> Result<User> {
        let (client, key) = custodian::create_client(&self.url(), &self.custodian_key).await?;
        Ok(User { client, key })
    }
}

impl User {
    /// The client's key, as each phone gets it once the user has signed in.
    ///
    /// # Panics
    ///
    /// Never: it was a key.
    #[must_use]
    pub fn key(&self) -> ApiKey {
        ApiKey::new(self.key.expose()).expect("it is a key")
    }
}

impl Phone {
    /// A new one.
    ///
    /// # Errors
    ///
    /// If there is no room for a folder, or no randomness.
    pub fn new() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()?, keychain: DataKey::generate()? })
    }

    /// What the app of this user keeps on it.
    #[must_use]
    pub fn store(&self, user: &User) -> DeviceStore {
        let keychain = DataKey::copied_from(self.keychain.expose());
        DeviceStore::new(self.folder.path(), user.client.clone(), keychain)
    }
}

#[cfg(test)]
mod tests {
    const EXAMPLES: [(&str, &str); 5] = [
        ("recover", include_str!("recover.rs")),
        ("own_method", include_str!("own_method.rs")),
        ("own_key", include_str!("own_key.rs")),
        ("eject", include_str!("eject.rs")),
        ("self_managed", include_str!("self_managed.rs")),
    ];

    #[test]
    fn an_example_is_short_and_says_how_it_is_run() {
        for (name, text) in EXAMPLES {
            assert!(text.lines().count() < 80, "{name}");
            let command = format!("//! `cargo run -p portal-examples --example {name}`");
            assert!(text.lines().any(|line| line == command), "{name}");
        }
    }
}
