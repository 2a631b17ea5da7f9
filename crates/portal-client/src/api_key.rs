//! The key by which the service knows who asks.

use std::{fmt, str::FromStr};

use backup_core::secrecy::{ExposeSecret, SecretString};

use crate::{Error, Result};

/// An API key of a client or of a custodian. Secret: it reads everything that is not secret, and
/// begins sessions that leave no mark.
pub struct ApiKey(SecretString);

impl ApiKey {
    /// The key, as the service gave it out.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if it is empty or not visible ASCII.
    pub fn new(key: impl Into<String>) -> Result<Self> {
        let key = SecretString::from(key.into());
        let text = key.expose_secret();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::InvalidInput(
                "an API key is visible ASCII without spaces; copy it again".into(),
            ));
        }
        Ok(Self(key))
    }

    /// The text, for the app's own keychain. Do not keep copies.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl FromStr for ApiKey {
    type Err = Error;

    fn from_str(key: &str) -> Result<Self> {
        Self::new(key)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_and_does_not_print_itself() {
        let key = ApiKey::new("ck_secret").unwrap();
        assert_eq!(format!("{key:?}"), "ApiKey([REDACTED])");
        for wrong in ["", "a b", "a\n", "é"] {
            let error = ApiKey::new(wrong).unwrap_err();
            assert!(matches!(error, Error::InvalidInput(_)), "{wrong:?}");
        }
    }
}
