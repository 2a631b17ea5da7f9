//! Whose passkeys an enclave takes, and from which origins.

use backup_core::{Error, ErrorKind, Result};
use webauthn_rs::prelude::{Url, Webauthn, WebauthnBuilder};

use crate::RelyingParty;

/// Relying party and origins of an enclave.
#[derive(Clone, Debug)]
pub struct EnclaveConfig {
    pub(super) relying_party: RelyingParty,
    pub(super) webauthn: Webauthn,
}

impl EnclaveConfig {
    /// `origins` are those that ceremonies may run on, the first one of the relying party's domain
    /// or under it: of HTTPS, `http://localhost` with any port, or that of an app, as in
    /// `android:apk-key-hash:…`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if there is none, or one is no such origin.
    pub fn new(relying_party: RelyingParty, origins: &[&str]) -> Result<Self> {
        let origins = origins.iter().map(|text| origin(text)).collect::<Result<Vec<_>>>()?;
        let (first, others) = origins.split_first().ok_or_else(|| invalid("name an origin"))?;
        let builder = WebauthnBuilder::new(relying_party.id(), first)
            .map_err(|_| invalid("the first origin is not of the relying party's domain"))?
            .rp_name(relying_party.name());
        let builder = others.iter().fold(builder, WebauthnBuilder::append_allowed_origin);
        let webauthn = builder.build().map_err(|_| invalid("the relying party is not usable"))?;
        Ok(Self { relying_party, webauthn })
    }
}

fn origin(text: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|_| invalid("an origin is no URL"))?;
    let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let fits = match url.scheme() {
        "https" => bare && url.path() == "/" && url.domain().is_some(),
        "http" => bare && url.path() == "/" && url.domain() == Some("localhost"),
        "android" => url.path().starts_with("apk-key-hash:"),
        _ => false,
    };
    if fits {
        return Ok(url);
    }
    Err(invalid("an origin is https://…, http://localhost or android:apk-key-hash:…, and no path"))
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secure_origins_of_the_relying_party_are_taken() {
        let config = |origins: &[&str]| {
            EnclaveConfig::new(RelyingParty::new("example.com", "Acme").unwrap(), origins)
        };
        assert!(config(&["https://wallet.example.com"]).is_ok());
        assert!(config(&["https://example.com", "android:apk-key-hash:abc_-"]).is_ok());
        assert!(config(&["https://example.com", "http://localhost:3000"]).is_ok());
        for wrong in [
            &[][..],
            &["http://example.com"],
            &["https://example.org"],
            &["https://notexample.com"],
            &["https://example.com/page"],
            &["https://example.com?x"],
            &["https://me@example.com"],
            &["example.com"],
            &["https://example.com", "ftp://example.com"],
        ] {
            assert!(config(wrong).is_err(), "{wrong:?}");
        }
    }
}
