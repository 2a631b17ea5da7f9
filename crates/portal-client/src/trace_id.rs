//! Trace ids: by which what an app asked for is found in the log of the service.

use std::{fmt, str::FromStr};

use uuid::{Builder, Uuid, Variant, Version};

use crate::{Error, Result};

/// Names a request, or all requests of an operation, in the log of the service: the header
/// `X-Portal-Trace-Id`. It is a UUID of version 4 (RFC 9562), and nothing else: the service would
/// not take it over.
///
/// It is no secret.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TraceId(Uuid);

impl TraceId {
    /// The header that has it.
    pub const HEADER: &'static str = "x-portal-trace-id";

    /// A fresh one. Without randomness it is the same as others, which costs nobody a wallet.
    #[must_use]
    pub fn generate() -> Self {
        let mut bytes = [0; 16];
        let _ = getrandom::fill(&mut bytes);
        Self(Builder::from_random_bytes(bytes).into_uuid())
    }
}

impl FromStr for TraceId {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::InvalidInput`] if it is no UUID of version 4.
    fn from_str(text: &str) -> Result<Self> {
        let id = Uuid::try_parse(text).ok().filter(|id| {
            id.get_version() == Some(Version::Random) && id.get_variant() == Variant::RFC4122
        });
        let wrong = || Error::InvalidInput("a trace id has to be a UUID of version 4".into());
        id.map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_is_a_uuid_of_version_4_and_nothing_else() {
        let made = TraceId::generate();
        assert_eq!(made.to_string().parse::<TraceId>().unwrap(), made);
        assert_ne!(made, TraceId::generate());
        let wrong = [
            "",
            "trace",
            "6d1f4c7e-2f0a-1f2b-9c3d-5e8a7b6c1d20",
            "00000000-0000-0000-0000-000000000000",
        ];
        for wrong in wrong {
            assert!(wrong.parse::<TraceId>().is_err(), "{wrong}");
        }
    }
}
