//! A method like a password, without its cost: what the user types is the wrapping key.

use backup_core::{
    BackupMethod, Enrollment, Error, ErrorKind, MethodId, MethodParams, Operation, Result,
    WrappingKey, async_trait,
};
use sha2::{Digest, Sha256};

/// Derives the wrapping key of what the user types: at the first attempt the first secret, and so
/// on.
#[derive(Clone, Debug)]
pub struct TypedSecret {
    secrets: Vec<String>,
}

impl TypedSecret {
    /// A user who knows these secrets, the newest first.
    #[must_use]
    pub fn new(secrets: Vec<String>) -> Self {
        Self { secrets }
    }

    /// The method's id.
    #[must_use]
    pub fn method_id() -> MethodId {
        MethodId::PASSWORD
    }

    fn key(&self, attempt: u32, params: &MethodParams) -> Result<WrappingKey> {
        let index = usize::try_from(attempt - 1).unwrap_or(usize::MAX);
        let secret = self
            .secrets
            .get(index)
            .ok_or_else(|| Error::new(ErrorKind::Cancelled, "the user knows no other secret"))?;
        let digest = Sha256::new().chain_update(secret).chain_update(params.as_bytes()).finalize();
        Ok(WrappingKey::copied_from(&digest.into()))
    }
}

#[async_trait]
impl BackupMethod for TypedSecret {
    fn id(&self) -> MethodId {
        Self::method_id()
    }

    async fn check(&self, _: &Operation<'_>) -> Result<()> {
        Ok(())
    }

    async fn enroll(&self, _: &Operation<'_>) -> Result<Enrollment> {
        let params = MethodParams::from_bytes(*WrappingKey::generate()?.expose())?;
        Ok(Enrollment { wrapping_key: self.key(1, &params)?, params })
    }

    async fn unlock(&self, op: &Operation<'_>, params: &MethodParams) -> Result<WrappingKey> {
        self.key(op.attempt(), params)
    }

    async fn revoke(&self, _: &Operation<'_>, _: &MethodParams) -> Result<()> {
        Ok(())
    }
}
