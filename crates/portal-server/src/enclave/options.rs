//! How the enclave runs.

use std::net::SocketAddr;

use axum::Router;
use backup_core::{Error, ErrorKind, Result};
use backup_methods_passkey::{
    RelyingParty,
    enclave::{EnclaveConfig, cross_origin},
};

/// How the enclave runs. Begin with [`EnclaveOptions::new`] and change what should be otherwise.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EnclaveOptions {
    /// The domain that passkeys belong to, for good: `example.com`.
    pub relying_party: String,
    /// What users are told that they make a passkey for.
    pub name: String,
    /// Where ceremonies may run, the first one at the relying party's domain or under it:
    /// `https://wallet.example.com`, `http://localhost:3000`, `android:apk-key-hash:…`.
    pub origins: Vec<String>,
    /// The origins whose pages may call the enclave from a browser.
    pub cors: Vec<String>,
    /// Where it listens by itself; none: where the service does. Port 0 takes any that is free.
    pub listen: Option<SocketAddr>,
}

impl EnclaveOptions {
    /// An enclave for this relying party, whose ceremonies run on `origins`.
    #[must_use]
    pub fn new(relying_party: impl Into<String>, origins: &[&str]) -> Self {
        let relying_party = relying_party.into();
        Self {
            name: relying_party.clone(),
            relying_party,
            origins: origins.iter().copied().map(str::to_owned).collect(),
            cors: Vec::new(),
            listen: None,
        }
    }

    /// Says whether an enclave can run like this, before one does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`]: what is wrong.
    pub fn check(&self) -> Result<()> {
        self.config()?;
        let cors: Vec<_> = self.cors.iter().map(String::as_str).collect();
        if cors.iter().any(|origin| origin.ends_with('/')) {
            let message = "an origin has no slash at its end: https://app.example.com";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        cross_origin(Router::new(), &cors).map(|_| ())
    }

    pub(super) fn config(&self) -> Result<EnclaveConfig> {
        let relying_party = RelyingParty::new(&self.relying_party, &self.name)?;
        let origins: Vec<_> = self.origins.iter().map(String::as_str).collect();
        EnclaveConfig::new(relying_party, &origins)
    }
}
