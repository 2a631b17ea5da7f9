//! Device keys: by what the service knows that a request comes from the device of a signing set.

use std::{fmt, str::FromStr};

use backup_core::EncryptionContext;
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use portal_mpc::Error;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The header of a device's signature.
pub(crate) const LABEL: &[u8] = b"portal-api/1 device request\n";

/// A device's Ed25519 key (RFC 8032), made with a signing set. Secret.
pub struct DeviceKey(SigningKey);

/// The public half: the name of a signing set.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DevicePublicKey([u8; Self::LEN]);

/// A device's signature of a request.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct DeviceSignature([u8; Self::LEN]);

/// What a device signs.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'a> {
    /// Whose device it is.
    pub client: &'a EncryptionContext,
    /// The method, in upper case.
    pub method: &'a str,
    /// The path as it is sent.
    pub path: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// For the second post of a session: SHA-256 of the body of the first reply.
    pub first_reply: Option<[u8; 32]>,
}

impl DeviceKey {
    /// The length of the secret, in bytes.
    pub const LEN: usize = 32;

    /// The header that carries a signature.
    pub const HEADER: &'static str = "x-portal-device-signature";

    /// A fresh key.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the operating system gives none.
    pub fn generate() -> Result<Self, Error> {
        let mut seed = Zeroizing::new([0; Self::LEN]);
        getrandom::fill(seed.as_mut_slice()).map_err(|_| Error::Randomness)?;
        Ok(Self::from_bytes(&seed))
    }

    /// The key that [`expose`](Self::expose) gave.
    #[must_use]
    pub fn from_bytes(seed: &[u8; Self::LEN]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The secret, for the device's store.
    #[must_use]
    pub fn expose(&self) -> &[u8; Self::LEN] {
        self.0.as_bytes()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> DevicePublicKey {
        DevicePublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs a request.
    #[must_use]
    pub fn sign(&self, request: &SignedRequest<'_>) -> DeviceSignature {
        DeviceSignature(self.0.sign(&request.statement()).to_bytes())
    }
}

impl DevicePublicKey {
    /// The length in bytes.
    pub const LEN: usize = 32;

    /// A key from its bytes. Whether they are a key shows when something is verified.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Whether this device signed this request.
    #[must_use]
    pub fn verifies(&self, request: &SignedRequest<'_>, signature: &DeviceSignature) -> bool {
        let signature = Signature::from_bytes(&signature.0);
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(&request.statement(), &signature).is_ok())
    }
}

impl DeviceSignature {
    /// The length in bytes.
    pub const LEN: usize = 64;
}

impl SignedRequest<'_> {
    fn statement(&self) -> Vec<u8> {
        let digest = Sha256::digest(self.body);
        let fields = [
            self.client.custodian.as_str().as_bytes(),
            self.client.client.as_str().as_bytes(),
            self.method.as_bytes(),
            self.path.as_bytes(),
            digest.as_slice(),
            self.first_reply.as_ref().map_or(&[], <[u8; 32]>::as_slice),
        ];
        fields.iter().fold(LABEL.to_vec(), |mut statement, field| {
            push_field(&mut statement, field);
            statement
        })
    }
}

/// Appends a field behind its length in four bytes.
pub(crate) fn push_field(bytes: &mut Vec<u8>, field: &[u8]) {
    let len = u32::try_from(field.len()).expect("every field is a bounded id, path or hash");
    bytes.extend_from_slice(&len.to_be_bytes());
    bytes.extend_from_slice(field);
}

/// The value of the header `Content-Digest` (RFC 9530) for a body.
#[must_use]
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", Base64::encode_string(&Sha256::digest(body)))
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey({:?})", self.public())
    }
}

macro_rules! as_base64url {
    ($($type:ident),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&Base64UrlUnpadded::encode_string(&self.0))
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($type), "({})"), self)
            }
        }

        impl FromStr for $type {
            type Err = NotThatLong;

            fn from_str(text: &str) -> Result<Self, NotThatLong> {
                let mut bytes = [0; Self::LEN];
                match Base64UrlUnpadded::decode(text, &mut bytes) {
                    Ok(decoded) if decoded.len() == Self::LEN => Ok(Self(bytes)),
                    _ => Err(NotThatLong(Self::LEN)),
                }
            }
        }
    )*};
}

as_base64url!(DevicePublicKey, DeviceSignature);

/// Text that is not unpadded base64url of the right number of bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not unpadded base64url of {0} bytes")]
#[doc(hidden)]
pub struct NotThatLong(usize);

#[cfg(test)]
mod tests {
    use backup_core::{ClientId, CustodianId};

    use super::*;

    fn client(name: &str) -> EncryptionContext {
        EncryptionContext::new(CustodianId::new("acme").unwrap(), ClientId::new(name).unwrap())
    }

    #[test]
    fn a_signature_is_good_for_one_client_method_path_body_and_reply() {
        let (alice, bob) = (client("alice"), client("bob"));
        let key = DeviceKey::from_bytes(&[7; 32]);
        let request = SignedRequest {
            client: &alice,
            method: "POST",
            path: "/v1/sessions",
            body: b"body",
            first_reply: Some([1; 32]),
        };
        let signature = key.sign(&request);
        assert!(key.public().verifies(&request, &signature));
        let others = [
            SignedRequest { client: &bob, ..request },
            SignedRequest { method: "PUT", ..request },
            SignedRequest { path: "/v1/sessions/", ..request },
            SignedRequest { body: b"bodz", ..request },
            SignedRequest { first_reply: Some([2; 32]), ..request },
            SignedRequest { first_reply: None, ..request },
        ];
        for other in others {
            assert!(!key.public().verifies(&other, &signature), "{other:?}");
        }
        assert!(!DeviceKey::from_bytes(&[8; 32]).public().verifies(&request, &signature));
    }

    #[test]
    fn keys_and_signatures_are_read_from_their_text_and_from_nothing_else() {
        let key = DeviceKey::from_bytes(&[7; 32]).public();
        assert_eq!(key.to_string().parse(), Ok(key));
        let text = key.to_string();
        for wrong in ["", &text[..42], &format!("{text}A"), &format!("{text}="), &"!".repeat(43)] {
            assert!(wrong.parse::<DevicePublicKey>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_digest_is_written_as_rfc_9530_does() {
        // An example of RFC 9530.
        assert_eq!(
            content_digest(b"{\"hello\": \"world\"}\n"),
            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
        );
    }

    #[test]
    fn no_secret_shows_in_debug() {
        let key = DeviceKey::from_bytes(&[7; 32]);
        assert_eq!(format!("{key:?}"), format!("DeviceKey({:?})", key.public()));
    }
}
