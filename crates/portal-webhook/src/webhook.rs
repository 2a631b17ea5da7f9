//! The webhook of a custodian: its routers, made of its secret, its keys and its store.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use backup_core::CustodianId;
use portal_api::webhook::{BACKUP, FETCH, MAX_POSTED_LEN, WebhookSecret};
use portal_keys::KeyRing;

use crate::{
    caller::Caller,
    cipher_texts::{self, Texts, Users},
    halves,
    rewrap::Rewrapped,
    store::{Store, StoreError},
    vault::{EraseError, Vault},
};

/// What a custodian mounts in its own server.
#[derive(Clone, Debug)]
pub struct Webhook {
    vault: Vault,
    caller: Caller,
}

/// What the handlers of the service's requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) vault: Vault,
    pub(crate) caller: Caller,
}

impl Webhook {
    /// Keeps what the service of `custodian` sends in `store`, sealed under `keys`. A service
    /// proves itself by `secret`, and signs.
    #[must_use]
    pub fn new(
        custodian: CustodianId,
        secret: WebhookSecret,
        keys: KeyRing,
        store: impl Store,
    ) -> Self {
        let (vault, secret) = (Vault { custodian, keys, store: Arc::new(store) }, Arc::new(secret));
        Self { vault, caller: Caller { secret, takes_unsigned: false, addresses: None } }
    }

    /// Takes requests that are not signed, too: Portal's own service signs none, and proves itself
    /// by the secret in its header. Such requests can be replayed by whoever reads one.
    ///
    /// # Panics
    ///
    /// If the secret is one of Standard Webhooks (`whsec_…`): then nothing would be proved.
    #[must_use]
    pub fn accept_unsigned(mut self) -> Self {
        assert!(self.caller.secret.header().is_some(), "a secret of Standard Webhooks signs");
        self.caller.takes_unsigned = true;
        self
    }

    /// Takes requests from these addresses only. Serve it with
    /// [`into_make_service_with_connect_info`](Router::into_make_service_with_connect_info): what
    /// is not known to come from one of them is refused.
    #[must_use]
    pub fn only_from(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.caller.addresses = Some(addresses.into_iter().collect());
        self
    }

    /// Where users of the app, once signed in, store and read their ciphertexts:
    /// `POST /cipher-text` and `GET /cipher-text/fetch`, below wherever it is nested.
    pub fn cipher_texts(&self, users: impl Users) -> Router {
        let texts = Texts { vault: self.vault.clone(), users: Arc::new(users) };
        Router::new()
            .route("/cipher-text", post(cipher_texts::store))
            .route("/cipher-text/fetch", get(cipher_texts::fetch))
            .with_state(Arc::new(texts))
    }

    /// Destroys all that is kept of a pair that the service has named as dead, the user's
    /// ciphertext too.
    ///
    /// # Errors
    ///
    /// [`EraseError`]: then nothing was destroyed.
    pub async fn erase(&self, client: &str, pair: &str) -> Result<(), EraseError> {
        if pair.is_empty() {
            return Err(EraseError::Unnamed);
        }
        Ok(self.vault.store.erase(client, pair).await?)
    }

    /// Wraps all that is kept under the active keys of the ring, and under no others. No value is
    /// touched. `progress` is told how many were looked at.
    ///
    /// The server may serve meanwhile, also another one on the same store, if it was started with
    /// these keys. Ended at any point, it is continued by calling it again. Each wrap is opened and
    /// compared before it takes the place of another. Keep the retired keys in the ring until
    /// nothing is [left](Rewrapped::unopened).
    ///
    /// # Errors
    ///
    /// [`StoreError`]; what does not open is no error.
    pub async fn rewrap(&self, progress: impl FnMut(u64)) -> Result<Rewrapped, StoreError> {
        self.vault.rewrap(progress).await
    }

    /// What the service asks: `/backup` and `/backup/fetch`, below the base URL that is registered
    /// there.
    pub fn router(&self) -> Router {
        let Self { vault, caller } = self.clone();
        Router::new()
            .route(BACKUP, post(halves::keep))
            .route(FETCH, post(halves::fetch))
            .layer(DefaultBodyLimit::max(MAX_POSTED_LEN))
            .with_state(Arc::new(Shared { vault, caller }))
    }
}
