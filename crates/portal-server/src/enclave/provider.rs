//! All of the operator's keys, as the one provider that the enclave knows.

use backup_core::{
    DataKey, Error, ErrorKind, KeyContext, KeyEncryption, Result, async_trait,
    secrecy::{ExposeSecret, SecretSlice},
};
use portal_keys::SealedShare;

use crate::custody::Custody;

/// A key of the enclave is sealed as a half is: under every active key, each wrap opened and
/// compared, and under others by `portal admin custody rewrap`.
#[derive(Debug)]
pub(super) struct Provider(pub(super) Custody);

#[async_trait]
impl KeyEncryption for Provider {
    fn key_id(&self) -> &str {
        "custody"
    }

    async fn wrap(&self, key: &DataKey, context: &KeyContext) -> Result<Vec<u8>> {
        let bytes = SecretSlice::from(key.expose().to_vec());
        Ok(SealedShare::seal(&bytes, context.clone(), self.0.ring()).await?.encode())
    }

    async fn unwrap(&self, wrapped: &[u8], context: &KeyContext) -> Result<DataKey> {
        let sealed = SealedShare::decode(wrapped)?;
        let bytes = sealed.open(context.clone(), self.0.ring()).await?;
        let bytes = bytes.expose_secret().try_into();
        let bytes = bytes.map_err(|_| Error::new(ErrorKind::Damaged, "a key has 32 bytes"))?;
        Ok(DataKey::copied_from(bytes))
    }
}
