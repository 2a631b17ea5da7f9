//! The 32-byte secrets, each a type of its own so that none is used for another.

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};
use subtle::{Choice, ConstantTimeEq};

use crate::{Error, ErrorKind, Result};

/// Defines a 32-byte secret: on the heap from birth, zeroized, neither copied nor printed.
macro_rules! secret_32 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name(SecretBox<[u8; 32]>);

        impl $name {
            /// A fresh secret from the operating system's randomness.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Unavailable`] if the operating system has no randomness.
            pub fn generate() -> Result<Self> {
                Self::try_init_with(|bytes| fill_random(bytes))
            }

            /// A secret that `init` writes in place, so that no copy of it is left on the stack.
            ///
            /// # Errors
            ///
            /// What `init` returns.
            pub fn try_init_with<E>(
                init: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
            ) -> Result<Self, E> {
                let mut secret = SecretBox::new(Box::new([0; 32]));
                init(secrecy::ExposeSecretMut::expose_secret_mut(&mut secret))?;
                Ok(Self(secret))
            }

            /// A secret that stood somewhere else. The caller wipes what it holds.
            #[must_use]
            pub fn copied_from(bytes: &[u8; 32]) -> Self {
                let mut secret = Box::new([0; 32]);
                secret.copy_from_slice(bytes);
                Self(SecretBox::new(secret))
            }

            /// The bytes, for handing to a primitive or a store. Do not keep copies.
            #[must_use]
            pub fn expose(&self) -> &[u8; 32] {
                self.0.expose_secret()
            }
        }

        impl ConstantTimeEq for $name {
            fn ct_eq(&self, other: &Self) -> Choice {
                self.expose()[..].ct_eq(&other.expose()[..])
            }
        }

        /// Compares in constant time.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.ct_eq(other).into()
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([REDACTED])"))
            }
        }
    };
}

secret_32! {
    /// What a backup method has to protect: 32 random bytes, made on the device.
    ///
    /// The sealing key and the key that opens the shares are derived from it. One enrolment makes
    /// one backup key. It leaves the device only wrapped in a slot or, where the envelope has no
    /// slot, as the [`EncryptionKey`] that one store of the app's keeps.
    BackupKey
}

secret_32! {
    /// What a backup method yields: it opens one slot and is never a cipher key itself.
    WrappingKey
}

secret_32! {
    /// The 32 bytes that a store keeps, `encryptionKey` on the wire: a wrapping key or, where the
    /// envelope has no slot, the backup key itself.
    EncryptionKey
}

secret_32! {
    /// Encrypts one secret at rest; a [`KeyEncryption`](crate::KeyEncryption) provider wraps it.
    DataKey
}

impl From<EncryptionKey> for WrappingKey {
    fn from(key: EncryptionKey) -> Self {
        Self(key.0)
    }
}

impl From<EncryptionKey> for BackupKey {
    fn from(key: EncryptionKey) -> Self {
        Self(key.0)
    }
}

impl From<BackupKey> for EncryptionKey {
    fn from(key: BackupKey) -> Self {
        Self(key.0)
    }
}

/// Fills `bytes` from the operating system.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| {
        Error::new(ErrorKind::Unavailable, "the operating system has no randomness to give")
            .with_source(error)
    })
}

/// Public random bytes: a nonce, the random part of a name.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    fill_random(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print_themselves() {
        let key = BackupKey::copied_from(&[0xab; 32]);
        assert_eq!(format!("{key:?}"), "BackupKey([REDACTED])");
    }

    #[test]
    fn generated_secrets_differ() {
        let (a, b) = (WrappingKey::generate().unwrap(), WrappingKey::generate().unwrap());
        assert_ne!(a, b);
        assert_eq!(a, WrappingKey::copied_from(a.expose()));
    }
}
