//! The domain that passkeys belong to.

use backup_core::{Error, ErrorKind, Result};

/// Whom a passkey belongs to: a domain, and a name that users see.
///
/// A passkey works for one relying party and no other, for good. Choose a domain that you will
/// still have when wallets are recovered, and that all apps of yours can use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RelyingParty {
    id: String,
    name: String,
}

impl RelyingParty {
    /// The relying party of `id`, a domain in lower case such as `example.com`; or `localhost`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if `id` is no domain.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Result<Self> {
        let (id, name) = (id.into(), name.into());
        if !is_domain(&id) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "the id of a relying party is a domain in lower case, without scheme or port",
            ));
        }
        Ok(Self { id, name })
    }

    /// The domain.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What users see.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a backup with passkeys of `id` is one of this relying party.
    pub(crate) fn expect(&self, id: &str) -> Result<()> {
        if id == self.id {
            return Ok(());
        }
        let message = format!("the passkey of this backup is for {id}; open it there");
        Err(Error::new(ErrorKind::Unsupported, message))
    }
}

/// Labels as in RFC 1123, section 2.1, in lower case.
pub(crate) fn is_domain(id: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    id.len() <= 253 && id.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_domain_in_lower_case_is_an_id() {
        for id in ["example.com", "localhost", "wallet.xn--bcher-kva.example", "a1-b.example"] {
            assert!(RelyingParty::new(id, "Acme").is_ok(), "{id}");
        }
        let long = ["a"; 128].join(".");
        for id in [
            "",
            "Example.com",
            "https://example.com",
            "example.com:443",
            "example.com/",
            ".com",
            "example..com",
            "example.com.",
            "-a.example",
            "a-.example",
            "bücher.example",
            &long,
        ] {
            let error = RelyingParty::new(id, "Acme").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{id}");
        }
    }
}
