//! Where the app keeps what keeps its user signed in.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use backup_core::{Result, async_trait, secrecy::SecretString};

/// Where the app keeps what keeps its user signed in at a provider: a keychain, or a
/// [`TokenFile`](crate::TokenFile).
///
/// One store is for one provider. If what was saved last is lost, the user has to sign in again,
/// and nothing else is lost.
#[async_trait]
pub trait TokenStore: fmt::Debug + Send + Sync {
    /// What was saved last, if anything.
    ///
    /// # Errors
    ///
    /// If it could not be looked for. [`ErrorKind::Damaged`](backup_core::ErrorKind::Damaged) lets
    /// the user sign in again.
    async fn load(&self) -> Result<Option<SecretString>>;

    /// Replaces what was saved before.
    ///
    /// # Errors
    ///
    /// If it could not be made durable.
    async fn save(&self, token: &SecretString) -> Result<()>;

    /// Forgets what was saved. Nothing saved is fine.
    ///
    /// # Errors
    ///
    /// If it is there still.
    async fn clear(&self) -> Result<()>;
}

/// Keeps the token for as long as the process lives: then the user signs in again.
#[derive(Debug, Default)]
pub struct MemoryTokens(Mutex<Option<SecretString>>);

impl MemoryTokens {
    /// With a token that somebody signed in for.
    #[must_use]
    pub fn holding(token: SecretString) -> Self {
        Self(Mutex::new(Some(token)))
    }

    fn replace(&self, token: Option<SecretString>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }
}

#[async_trait]
impl TokenStore for MemoryTokens {
    async fn load(&self) -> Result<Option<SecretString>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept.clone())
    }

    async fn save(&self, token: &SecretString) -> Result<()> {
        self.replace(Some(token.clone()));
        Ok(())
    }

    async fn clear(&self) -> Result<()> {
        self.replace(None);
        Ok(())
    }
}
