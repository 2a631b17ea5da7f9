//! What a service proves itself by to a custodian's webhook, and signatures made with it.

use std::fmt;

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The secret that a service and a custodian's webhook share.
///
/// Every request is signed by it as the Standard Webhooks specification says: `v1,` and the base64
/// of HMAC-SHA256 over id, time and body, with dots between. The key is what follows `whsec_` in a
/// secret of that specification's form, decoded; of any other secret its characters.
///
/// A secret of that form never travels. Any other is also Portal's: the service sends it along in
/// Portal's header, where whoever reads one request learns it.
pub struct WebhookSecret {
    text: Zeroizing<String>,
    key: Zeroizing<Vec<u8>>,
}

/// Why something is no secret of a webhook.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// It is too short, too long, or stands in no header.
    #[error("a webhook's secret has 16 to 256 characters: letters, digits and other visible ASCII")]
    Characters,
    /// It begins as one of Standard Webhooks and goes on otherwise.
    #[error("after whsec_ stands the base64 of 24 to 64 bytes")]
    Standard,
}

impl WebhookSecret {
    /// How a secret of the Standard Webhooks specification begins.
    pub const PREFIX: &str = "whsec_";

    /// Reads a secret.
    ///
    /// # Errors
    ///
    /// [`SecretError`] says what it has to be.
    pub fn new(text: &str) -> Result<Self, SecretError> {
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_visible || !(16..=256).contains(&text.len()) {
            return Err(SecretError::Characters);
        }
        let key = match text.strip_prefix(Self::PREFIX) {
            Some(encoded) => {
                let key = Base64::decode_vec(encoded).map(Zeroizing::new);
                let key = key.map_err(|_| SecretError::Standard)?;
                if !(24..=64).contains(&key.len()) {
                    return Err(SecretError::Standard);
                }
                key
            }
            None => Zeroizing::new(text.as_bytes().to_vec()),
        };
        Ok(Self { text: Zeroizing::new(text.to_owned()), key })
    }

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What Portal's header holds; nothing, if the secret never travels.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        (!self.text.starts_with(Self::PREFIX)).then_some(self.text.as_str())
    }

    /// The signature of a request. `timestamp` is in seconds since 1970.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let mac = self.mac(id, timestamp, body).finalize().into_bytes();
        format!("{VERSION}{}", Base64::encode_string(&mac))
    }

    /// Whether one of the signatures in a header, which are apart by spaces, is of this request.
    #[must_use]
    pub fn verifies(&self, id: &str, timestamp: u64, body: &[u8], signatures: &str) -> bool {
        let signatures = signatures.split(' ').filter_map(|text| text.strip_prefix(VERSION));
        let mut signatures = signatures.filter_map(|text| Base64::decode_vec(text).ok());
        signatures.any(|signature| self.mac(id, timestamp, body).verify_slice(&signature).is_ok())
    }

    fn mac(&self, id: &str, timestamp: u64, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length is a key");
        mac.update(id.as_bytes());
        mac.update(format!(".{timestamp}.").as_bytes());
        mac.update(body);
        mac
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret([REDACTED])")
    }
}

const VERSION: &str = "v1,";

#[cfg(test)]
mod tests {
    use super::*;

    // The vector of the specification's own libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIME: u64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_published_signature_is_made_and_verified() {
        let secret = WebhookSecret::new(SECRET).unwrap();
        assert_eq!(secret.sign(ID, TIME, BODY), SIGNATURE);
        assert!(secret.verifies(ID, TIME, BODY, SIGNATURE));
        let several = format!("v1,AAAA v2,x v1a,{SIGNATURE} {SIGNATURE}");
        assert!(secret.verifies(ID, TIME, BODY, &several));
    }

    #[test]
    fn another_id_time_body_version_or_secret_is_not_verified() {
        let secret = WebhookSecret::new(SECRET).unwrap();
        assert!(!secret.verifies("msg_other", TIME, BODY, SIGNATURE));
        assert!(!secret.verifies(ID, TIME + 1, BODY, SIGNATURE));
        assert!(!secret.verifies(ID, TIME, b"{}", SIGNATURE));
        assert!(!secret.verifies(ID, TIME, BODY, &SIGNATURE.replace("v1,", "v2,")));
        assert!(!secret.verifies(ID, TIME, BODY, ""));
        let other = WebhookSecret::new("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert!(!other.verifies(ID, TIME, BODY, SIGNATURE));
    }

    #[test]
    fn a_secret_of_the_specification_never_travels_and_portals_does() {
        assert_eq!(WebhookSecret::new(SECRET).unwrap().header(), None);
        let portals = WebhookSecret::new("a-secret-of-portal").unwrap();
        assert_eq!(portals.header(), Some("a-secret-of-portal"));
        assert!(!format!("{portals:?}").contains("portal"));
    }

    #[test]
    fn what_stands_in_no_header_or_is_easily_guessed_is_no_secret() {
        let long = "x".repeat(257);
        for text in
            ["", "short", "fifteen-letters", "with a space in it", "não-é-um-segredo", &long]
        {
            assert_eq!(WebhookSecret::new(text).unwrap_err(), SecretError::Characters, "{text}");
        }
        for text in ["whsec_not+base64+at_all", "whsec_AAAAAAAAAAAAAAAAAAAAAA=="] {
            assert_eq!(WebhookSecret::new(text).unwrap_err(), SecretError::Standard, "{text}");
        }
    }
}
