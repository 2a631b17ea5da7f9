//! The keychain of the operating system: a place for backups, and for the device's own key.

use std::sync::Arc;

use backup_core::{
    BackupMethod, DataKey, EncryptionContext, EncryptionKey, KeyName, KeyPrefix, KeyStore,
    Operation, Purpose, StoredKey,
};
use backup_methods_keychain::Keychain;

use crate::failure::{Failure, Kind};

/// The backup method. It connects to nothing before it is used.
pub(crate) fn method() -> Arc<dyn BackupMethod> {
    Arc::new(StoredKey::new(Keychain::system()))
}

/// Makes a device's key, and its name in the keychain. It is durable, and was read back.
pub(crate) async fn create_device_key(client: &EncryptionContext) -> Result<String, Failure> {
    let (keychain, op) = (device_keys()?, Operation::new(Purpose::Enroll, client));
    let name = KeyName::generate(&KeyPrefix::of(client))?;
    let key = EncryptionKey::generate()?;
    keychain.put(&op, &name, &key).await?;
    if keychain.get(&op, &name).await? != key {
        let message =
            "the keychain does not give back what was put into it; keep the key in a file";
        return Err(Failure::new(Kind::Damaged, message));
    }
    Ok(name.as_str().to_owned())
}

/// Reads what [`create_device_key`] made.
pub(crate) async fn read_device_key(
    client: &EncryptionContext,
    name: &str,
) -> Result<DataKey, Failure> {
    let name = KeyName::parse(&KeyPrefix::of(client), name).ok_or_else(|| {
        Failure::new(Kind::Damaged, "the profile names no key of this client; take another copy")
    })?;
    let op = Operation::new(Purpose::Unlock, client);
    let key = device_keys()?.get(&op, &name).await?;
    Ok(DataKey::copied_from(key.expose()))
}

/// Apart from backups: a device's key is never taken for what one has left behind.
fn device_keys() -> Result<Keychain, Failure> {
    Ok(Keychain::system().with_label("Wallet device key")?)
}
