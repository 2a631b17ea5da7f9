//! How the method runs WebAuthn: a trait that the app implements.

mod answers;
mod error;
mod options;
mod verify;

use std::{fmt, sync::Arc};

use backup_core::async_trait;

#[cfg(feature = "client")]
pub(crate) use self::options::{ALGORITHMS, TIMEOUT};
pub use self::{
    answers::{Assertion, Created, PrfOutput},
    error::CeremonyError,
    options::{CreateOptions, GetOptions, User},
};
pub(crate) use self::{
    options::random_bytes,
    verify::{verify_assertion, verify_created},
};

/// Runs WebAuthn's ceremonies with the user. The app implements it, and gives it to
/// [`PasskeyPrf::new`](crate::PasskeyPrf::new).
///
/// In a browser or a web view, hand over [`CreateOptions::to_json`] and [`GetOptions::to_json`] and
/// read the answers by [`Created::from_json`] and [`Assertion::from_json`]; Android's Credential
/// Manager takes and gives the same JSON. Elsewhere, the fields have it all.
///
/// # Security
///
/// What a ceremony answers may hold a [`PrfOutput`], from which the wallet's backup opens. It stays
/// in the app: in no log, on no server, and in no URL on the way back from a page.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait Ceremony: fmt::Debug + Send + Sync {
    /// What this platform can do, as far as it knows, without asking the user anything.
    async fn support(&self) -> Support;

    /// Has the user make a new passkey.
    ///
    /// # Errors
    ///
    /// What became of the ceremony instead.
    async fn create(&self, options: &CreateOptions) -> Result<Created, CeremonyError>;

    /// Has the user confirm with a passkey that there is.
    ///
    /// # Errors
    ///
    /// What became of the ceremony instead.
    async fn get(&self, options: &GetOptions) -> Result<Assertion, CeremonyError>;
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
#[deny(clippy::missing_trait_methods)]
impl<T: Ceremony + ?Sized> Ceremony for Arc<T> {
    async fn support(&self) -> Support {
        (**self).support().await
    }

    async fn create(&self, options: &CreateOptions) -> Result<Created, CeremonyError> {
        (**self).create(options).await
    }

    async fn get(&self, options: &GetOptions) -> Result<Assertion, CeremonyError> {
        (**self).get(options).await
    }
}

/// What a platform can do: `PublicKeyCredential.getClientCapabilities()` of a browser.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Support {
    /// No passkeys.
    Nothing,
    /// Passkeys with the PRF extension, or the platform cannot tell: then an authenticator without
    /// it is noticed while it is enrolled.
    Prf,
    /// Passkeys, and no PRF extension.
    WithoutPrf,
}
