//! A method whose user always gives the same wrapping key.

use backup_core::{
    BackupMethod, Enrollment, MethodId, MethodParams, Operation, Result, WrappingKey, async_trait,
};

/// Yields one wrapping key, whatever the parameters.
#[derive(Debug)]
pub struct FixedKey {
    id: MethodId,
    key: WrappingKey,
    params: MethodParams,
}

impl FixedKey {
    /// A method that yields `key` and enrolls with `params`.
    #[must_use]
    pub fn new(id: MethodId, key: WrappingKey, params: MethodParams) -> Self {
        Self { id, key, params }
    }

    fn wrapping_key(&self) -> WrappingKey {
        WrappingKey::copied_from(self.key.expose())
    }
}

#[async_trait]
impl BackupMethod for FixedKey {
    fn id(&self) -> MethodId {
        self.id.clone()
    }

    async fn check(&self, _: &Operation<'_>) -> Result<()> {
        Ok(())
    }

    async fn enroll(&self, _: &Operation<'_>) -> Result<Enrollment> {
        Ok(Enrollment { wrapping_key: self.wrapping_key(), params: self.params.clone() })
    }

    async fn unlock(&self, _: &Operation<'_>, _: &MethodParams) -> Result<WrappingKey> {
        Ok(self.wrapping_key())
    }

    async fn revoke(&self, _: &Operation<'_>, _: &MethodParams) -> Result<()> {
        Ok(())
    }
}
