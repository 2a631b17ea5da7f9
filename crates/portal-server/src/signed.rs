//! Requests that a device has signed: first whether they came whole, then who signed.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, Method, Uri},
};
use backup_core::EncryptionContext;
use portal_api::{DeviceKey, DevicePublicKey, DeviceSignature, ErrorId, SignedRequest};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::{
    body,
    error::{ApiError, ApiResult},
    json,
    service::SharedService,
    store::Snapshot,
};

/// A request whose body came as its digest says, and which carries a device's signature. Whose the
/// signature is, is not known before it was verified.
#[derive(Debug)]
pub struct Signed {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    signature: DeviceSignature,
}

impl FromRequest<SharedService> for Signed {
    type Rejection = ApiError;

    async fn from_request(request: Request, service: &SharedService) -> ApiResult<Self> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let headers = request.headers().clone();
        let body = body::read(request, service).await?;
        check_digest(&headers, &body)?;
        let signature = signature(&headers)?;
        Ok(Self { method, uri, headers, body, signature })
    }
}

impl Signed {
    /// The body, as it was signed.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The headers. They are not signed.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body, which has to be JSON.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST`.
    pub fn json<T: DeserializeOwned>(&self) -> ApiResult<T> {
        json::parse(&self.headers, &self.body)
    }

    /// Verifies that the device with this key signed it.
    ///
    /// # Errors
    ///
    /// `SIGN_SHARE_MISMATCH`.
    pub fn verify(&self, client: &EncryptionContext, key: &DevicePublicKey) -> ApiResult<()> {
        self.verified(client, key, None)
    }

    /// Verifies that the device with this key signed it after it had got this first reply, of
    /// which this is SHA-256.
    ///
    /// # Errors
    ///
    /// `SIGN_SHARE_MISMATCH`.
    pub fn verify_after(
        &self,
        client: &EncryptionContext,
        key: &DevicePublicKey,
        first_reply: [u8; 32],
    ) -> ApiResult<()> {
        self.verified(client, key, Some(first_reply))
    }

    /// Verifies that the device of the set that is live in this view signed it, and says which.
    ///
    /// # Errors
    ///
    /// `SIGN_SHARE_MISMATCH`, also if no set is live.
    pub async fn verify_live(
        &self,
        client: &EncryptionContext,
        view: &mut Snapshot,
    ) -> ApiResult<DevicePublicKey> {
        let live = view.live_key(&client.client).await?.ok_or_else(ApiError::share_mismatch)?;
        self.verify(client, &live).map(|()| live)
    }

    fn verified(
        &self,
        client: &EncryptionContext,
        key: &DevicePublicKey,
        first_reply: Option<[u8; 32]>,
    ) -> ApiResult<()> {
        let request = SignedRequest {
            client,
            method: self.method.as_str(),
            path: self.uri.path(),
            body: &self.body,
            first_reply,
        };
        if key.verifies(&request, &self.signature) {
            Ok(())
        } else {
            Err(ApiError::share_mismatch())
        }
    }
}

fn check_digest(headers: &HeaderMap, body: &[u8]) -> ApiResult<()> {
    let digest = headers.get("content-digest").ok_or_else(|| {
        ApiError::bad_request("a signed request needs a Content-Digest, by SHA-256")
    })?;
    let claimed = sha256_of(digest.to_str().unwrap_or_default()).ok_or_else(|| {
        ApiError::bad_request("the Content-Digest has to be sha-256=:<base64>: (RFC 9530)")
    })?;
    if Sha256::digest(body).as_slice() == claimed {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorId::MessageMalformed,
        "the body is not what its digest says: it was damaged on the way, send it again",
    ))
}

/// The digest by SHA-256 among those of the header.
fn sha256_of(header: &str) -> Option<[u8; 32]> {
    use base64ct::{Base64, Encoding};

    let members = header.split(',').map(str::trim);
    let value = members.filter_map(|member| member.strip_prefix("sha-256=:")).next()?;
    let mut digest = [0; 32];
    let decoded = Base64::decode(value.strip_suffix(':')?, &mut digest).ok()?;
    (decoded.len() == 32).then_some(digest)
}

fn signature(headers: &HeaderMap) -> ApiResult<DeviceSignature> {
    let text = headers.get(DeviceKey::HEADER).and_then(|value| value.to_str().ok());
    text.and_then(|text| text.parse().ok()).ok_or_else(|| {
        ApiError::bad_request("this needs the device's signature: X-Portal-Device-Signature")
    })
}

#[cfg(test)]
mod tests {
    use portal_api::content_digest;

    use super::*;

    #[test]
    fn the_digest_by_sha_256_is_found_among_others() {
        let digest = content_digest(b"body");
        let expected: [u8; 32] = Sha256::digest(b"body").into();
        assert_eq!(sha256_of(&digest), Some(expected));
        assert_eq!(sha256_of(&format!("sha-512=:AAAA:, {digest}")), Some(expected));
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        let short = format!("sha-256=:{}:", &"A".repeat(40));
        for wrong in ["", "sha-256", "sha-256=::", "sha-256=:AAAA:", "sha-256=:%:", &short] {
            assert_eq!(sha256_of(wrong), None, "{wrong}");
        }
    }
}
