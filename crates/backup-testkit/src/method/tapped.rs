//! A method whose wrapping keys are seen, so that they can be searched for.

use std::sync::Mutex;

use backup_core::{
    BackupMethod, Enrollment, Held, MethodId, MethodParams, Operation, Result, WrappingKey,
    async_trait,
};

use crate::{Secrets, record::lock};

/// Forwards to a method, and remembers every key that it yields.
#[derive(Debug)]
pub(super) struct Tapped<'a> {
    method: &'a dyn BackupMethod,
    keys: &'a Keys,
}

/// The keys seen so far.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<Vec<WrappingKey>>);

impl Keys {
    pub(super) fn tap<'a>(&'a self, method: &'a dyn BackupMethod) -> Tapped<'a> {
        Tapped { method, keys: self }
    }

    pub(super) fn see(&self, key: &WrappingKey) {
        lock(&self.0).push(WrappingKey::copied_from(key.expose()));
    }

    /// These keys and what users know, to be searched for.
    pub(super) fn and(&self, texts: &[String]) -> Secrets {
        let keys = lock(&self.0);
        let secrets = keys.iter().fold(Secrets::new(), |all, key| all.with_key(key.expose()));
        texts.iter().fold(secrets, |all, text| all.with_text(text))
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
#[deny(clippy::missing_trait_methods)]
impl BackupMethod for Tapped<'_> {
    fn id(&self) -> MethodId {
        self.method.id()
    }

    async fn check(&self, op: &Operation<'_>) -> Result<()> {
        self.method.check(op).await
    }

    async fn enroll(&self, op: &Operation<'_>) -> Result<Enrollment> {
        let enrollment = self.method.enroll(op).await?;
        self.keys.see(&enrollment.wrapping_key);
        Ok(enrollment)
    }

    async fn unlock(&self, op: &Operation<'_>, params: &MethodParams) -> Result<WrappingKey> {
        let key = self.method.unlock(op, params).await?;
        self.keys.see(&key);
        Ok(key)
    }

    async fn revoke(&self, op: &Operation<'_>, params: &MethodParams) -> Result<()> {
        self.method.revoke(op, params).await
    }

    async fn held(&self, op: &Operation<'_>) -> Result<Vec<Held>> {
        self.method.held(op).await
    }
}
