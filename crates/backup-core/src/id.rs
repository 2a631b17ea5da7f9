//! Identifiers: who a backup belongs to, what made it, and which pair of shares it holds.

use std::{borrow::Cow, fmt, str::FromStr};

use crate::{Error, ErrorKind, Result, error::invalid_input, secret::random_bytes};

/// Which backup method: an interactive way to obtain the same wrapping key again.
///
/// Ids are canonical ASCII of at most [`MethodId::MAX_LEN`] bytes. Portal's methods keep Portal's
/// upper-case names; whatever Portal lacks has a dotted lower-case name: ours begin with `portal.`,
/// a third party's with its reversed domain, as in `com.example.usb-stick`.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MethodId(Cow<'static, str>);

impl MethodId {
    /// The longest id, in bytes.
    pub const MAX_LEN: usize = 64;

    /// The app's own store. The only method whose envelopes may lack a slot.
    pub const CUSTOM: Self = Self(Cow::Borrowed("CUSTOM"));
    /// Google Drive.
    pub const GDRIVE: Self = Self(Cow::Borrowed("GDRIVE"));
    /// iCloud.
    pub const ICLOUD: Self = Self(Cow::Borrowed("ICLOUD"));
    /// A passkey, and an enclave that releases a key to its owner.
    pub const PASSKEY: Self = Self(Cow::Borrowed("PASSKEY"));
    /// A password or PIN.
    pub const PASSWORD: Self = Self(Cow::Borrowed("PASSWORD"));
    /// Several methods of which some must agree: [`Threshold`](crate::Threshold).
    pub const THRESHOLD: Self = Self(Cow::Borrowed("portal.threshold"));

    /// Checks that `id` is canonical.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if it is neither one of upper-case ASCII letters nor of two or
    /// more dotted labels of `a-z`, `0-9` and `-`, or is too long.
    pub fn new(id: impl Into<Cow<'static, str>>) -> Result<Self> {
        let id = id.into();
        if id.len() > Self::MAX_LEN || !(is_upper_case(&id) || is_dotted(&id)) {
            return Err(invalid_input(
                "a method id is upper-case letters (PASSWORD) or a dotted lower-case name \
                 (com.example.usb-stick) of at most 64 bytes",
            ));
        }
        Ok(Self(id))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_upper_case(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_uppercase())
}

fn is_dotted(id: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    id.contains('.') && id.split('.').all(is_label)
}

impl FromStr for MethodId {
    type Err = Error;

    fn from_str(id: &str) -> Result<Self> {
        Self::new(id.to_owned())
    }
}

impl fmt::Debug for MethodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for MethodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Defines an identifier that another party chose: visible ASCII, compared byte for byte.
macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Box<str>);

        impl $name {
            /// The longest id, in bytes.
            pub const MAX_LEN: usize = 128;

            /// Checks that `id` is 1 to [`MAX_LEN`](Self::MAX_LEN) bytes of visible ASCII.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::InvalidInput`] if it is not.
            pub fn new(id: impl Into<Box<str>>) -> Result<Self> {
                let id = id.into();
                let visible = id.bytes().all(|b| b.is_ascii_graphic());
                if id.is_empty() || id.len() > Self::MAX_LEN || !visible {
                    return Err(Error::new(
                        ErrorKind::InvalidInput,
                        concat!($what, " is 1 to 128 bytes of visible ASCII"),
                    ));
                }
                Ok(Self(id))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(id: &str) -> Result<Self> {
                Self::new(id)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

opaque_id! {
    /// The business whose user has the wallet. Never changes.
    CustodianId, "a custodian id"
}

opaque_id! {
    /// The user, at the custodian. Never changes.
    ClientId, "a client id"
}

opaque_id! {
    /// One pair of shares: the client's half and the custodian's half carry the same id.
    SharePairId, "a share pair id"
}

opaque_id! {
    /// What one backup run made: one envelope and a pair of shares per curve.
    BackupId, "a backup id"
}

impl BackupId {
    /// A fresh id: 128 random bits in hexadecimal.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if the operating system has no randomness.
    pub fn generate() -> Result<Self> {
        Ok(Self(to_hex(&random_bytes::<16>()?).into()))
    }
}

/// Lower-case hexadecimal, for names made of public random bytes.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn method_ids_are_upper_case_words_or_dotted_lower_case_names() {
        for id in ["PASSWORD", "X", "portal.passkey-prf", "com.example.usb2"] {
            assert_eq!(MethodId::new(id).unwrap().as_str(), id);
        }
        let too_long = "A".repeat(MethodId::MAX_LEN + 1);
        for id in [
            "",
            "password",
            "Password",
            "GDRIVE-ED25519",
            "a..b",
            ".a",
            "a.",
            "a.B",
            "ä.b",
            &too_long,
        ] {
            let error = MethodId::new(id.to_owned()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{id}");
        }
    }

    #[test]
    fn opaque_ids_are_visible_ascii_of_bounded_length() {
        assert!(ClientId::new("~!x9").is_ok());
        assert!(ClientId::new("x".repeat(128)).is_ok());
        for id in ["", " ", "a b", "a\n", "é", &"x".repeat(129)] {
            assert_eq!(ClientId::new(id).unwrap_err().kind(), ErrorKind::InvalidInput, "{id:?}");
        }
    }

    #[test]
    fn generated_backup_ids_differ() {
        assert_ne!(BackupId::generate().unwrap(), BackupId::generate().unwrap());
    }
}
