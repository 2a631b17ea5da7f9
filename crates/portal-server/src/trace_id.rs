//! Trace ids: by which a request is found in the logs of an app, and in those of the service.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::{Builder, Uuid, Variant, Version};

use crate::random;

/// The header that has one, in requests and in answers.
pub(crate) const TRACE_ID: HeaderName = HeaderName::from_static("x-portal-trace-id");

/// A UUID of version 4 (RFC 9562). What is anything else is neither logged nor answered back: it
/// could be a secret that stands in the wrong place, or forge lines of the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TraceId(HeaderValue);

impl TraceId {
    /// The caller's, as it was written; or else a fresh one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let callers = headers.get(TRACE_ID).filter(|value| is_uuid_v4(value));
        callers.map_or_else(Self::generate, |value| Self(value.clone()))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(crate) fn into_header(self) -> HeaderValue {
        self.0
    }

    /// Without randomness it is the same as others, and the request is answered all the same.
    fn generate() -> Self {
        let bytes = random::bytes().unwrap_or_default();
        let text = Builder::from_random_bytes(bytes).into_uuid().to_string();
        Self(HeaderValue::try_from(text).expect("a UUID is visible ASCII"))
    }
}

fn is_uuid_v4(value: &HeaderValue) -> bool {
    let text = value.as_bytes();
    // Its other forms are of other lengths.
    text.len() == LEN
        && Uuid::try_parse_ascii(text).is_ok_and(|id| {
            id.get_version() == Some(Version::Random) && id.get_variant() == Variant::RFC4122
        })
}

const LEN: usize = 36;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> TraceId {
        let mut headers = HeaderMap::new();
        headers.insert(TRACE_ID, HeaderValue::from_str(value).unwrap());
        TraceId::of(&headers)
    }

    #[test]
    fn a_uuid_of_version_4_is_taken_over_as_it_was_written() {
        // As Portal's SDKs for the web and for Swift write them.
        for id in ["6d1f4c7e-2f0a-4f2b-9c3d-5e8a7b6c1d20", "6D1F4C7E-2F0A-4F2B-9C3D-5E8A7B6C1D20"] {
            assert_eq!(of(id).as_str(), id);
        }
    }

    #[test]
    fn whatever_else_is_not_taken_over() {
        for other in [
            "",
            "ck_QmVhcmVyIG9mIG5vdGhpbmcgYXQgYWxsLCBub3QgMQQ",
            "6d1f4c7e2f0a4f2b9c3d5e8a7b6c1d20",
            "{6d1f4c7e-2f0a-4f2b-9c3d-5e8a7b6c1d20}",
            "6d1f4c7e-2f0a-1f2b-9c3d-5e8a7b6c1d20",
            "6d1f4c7e-2f0a-4f2b-cc3d-5e8a7b6c1d20",
            "6d1f4c7e-2f0a-4f2b-9c3d-5e8a7b6c1d2g",
        ] {
            let made = of(other);
            assert_ne!(made.as_str(), other);
            assert!(is_uuid_v4(&made.0), "{made:?}");
            assert_ne!(made, of(other), "each is fresh");
        }
    }
}
