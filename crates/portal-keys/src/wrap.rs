//! A data key wrapped by one provider, beside the id of the key that did it.

use backup_core::{DataKey, Error, KeyContext, KeyEncryption, Result};
use subtle::ConstantTimeEq;

use crate::{
    codec::{Reader, write_bytes},
    error::{damaged, invalid_input},
    ring::is_key_id,
};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Wrap {
    key_id: String,
    wrapped: Vec<u8>,
}

impl Wrap {
    /// Wraps `key`, unwraps it again, and compares: a wrap that does not open is worse than none.
    pub(crate) async fn make(
        provider: &dyn KeyEncryption,
        key: &DataKey,
        context: &KeyContext,
    ) -> Result<Self> {
        let key_id = provider.key_id().to_owned();
        if !is_key_id(&key_id) {
            return Err(invalid_input("a key id is 1 to 2048 bytes of visible ASCII"));
        }
        let wrapped = provider.wrap(key, context).await?;
        if wrapped.is_empty() || wrapped.len() > MAX_WRAPPED_LEN {
            return Err(damaged(format!("{key_id} wraps to no or more than 16 384 bytes")));
        }
        let wrap = Self { key_id, wrapped };
        let unwrapped = wrap.unwrap_by(provider, context).await?;
        if !bool::from(unwrapped.ct_eq(key)) {
            return Err(damaged(format!("{} unwraps another key than it wrapped", wrap.key_id)));
        }
        Ok(wrap)
    }

    pub(crate) fn key_id(&self) -> &str {
        &self.key_id
    }

    pub(crate) async fn unwrap_by(
        &self,
        provider: &dyn KeyEncryption,
        context: &KeyContext,
    ) -> Result<DataKey> {
        provider.unwrap(&self.wrapped, context).await
    }

    pub(crate) fn write(&self, buffer: &mut Vec<u8>) {
        write_bytes(buffer, self.key_id.as_bytes());
        write_bytes(buffer, &self.wrapped);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let key_id = str::from_utf8(reader.bytes()?).ok().filter(|id| is_key_id(id));
        let key_id = key_id.ok_or_else(|| damaged("a key id is malformed"))?.to_owned();
        let wrapped = reader.bytes()?.to_vec();
        if wrapped.is_empty() || wrapped.len() > MAX_WRAPPED_LEN {
            return Err(damaged("a wrapped key has no or more than 16 384 bytes"));
        }
        Ok(Self { key_id, wrapped })
    }
}

const MAX_WRAPPED_LEN: usize = 16_384;

/// Names the key whose provider failed.
pub(crate) fn by_key(key_id: &str, error: Error) -> Error {
    Error::new(error.kind(), format!("{key_id}: {error}")).with_source(error)
}
