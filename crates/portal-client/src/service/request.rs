//! One request, as bytes that are the same whenever it is repeated.

use backup_core::EncryptionContext;
use bytes::Bytes;
use portal_api::{DeviceKey, SignedRequest, content_digest};
use reqwest::Method;
use zeroize::Zeroizing;

/// A request. Repeated, it is the same byte for byte.
#[derive(Debug)]
pub(crate) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<Body>,
    pub(super) signature: Option<String>,
    /// The longest answer that is read, in bytes.
    pub(super) limit: usize,
}

pub(super) struct Body {
    pub(super) media_type: &'static str,
    pub(super) bytes: Bytes,
    pub(super) digest: String,
}

/// Who signs a request, and for whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signer<'a> {
    pub(crate) client: &'a EncryptionContext,
    pub(crate) key: &'a DeviceKey,
    /// For the second post of a session: SHA-256 of the first reply.
    pub(crate) first_reply: Option<[u8; 32]>,
}

impl Request {
    pub(crate) fn get(path: impl Into<String>, limit: usize) -> Self {
        let path = path.into();
        Self { method: Method::GET, path, body: None, signature: None, limit }
    }

    pub(crate) fn with_body(
        method: Method,
        path: impl Into<String>,
        media_type: &'static str,
        body: Zeroizing<Vec<u8>>,
    ) -> Self {
        let digest = content_digest(&body);
        // The bytes are wiped when the last of those who send them lets go.
        let body = Body { media_type, bytes: Bytes::from_owner(body), digest };
        let path = path.into();
        Self { method, path, body: Some(body), signature: None, limit: SHORT }
    }

    pub(crate) fn signed_by(mut self, signer: &Signer<'_>) -> Self {
        let statement = SignedRequest {
            client: signer.client,
            method: self.method.as_str(),
            path: &self.path,
            body: self.body.as_ref().map_or(&[], |body| &body.bytes),
            first_reply: signer.first_reply,
        };
        self.signature = Some(signer.key.sign(&statement).to_string());
        self
    }

    pub(crate) fn answered_within(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

/// More than any short answer has.
pub(super) const SHORT: usize = 64 * 1024;

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({}, {} bytes)", self.media_type, self.bytes.len())
    }
}
