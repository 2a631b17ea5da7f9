//! Posts as they came, and what is known of them before anything is looked up.

use portal_api::{ErrorId, FrameError, MEDIA_TYPE, PostFrame};
use portal_mpc::{Error, OperationKind, Post, SessionId, SessionSecret};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    error::{ApiError, ApiResult},
    json::expect_media_type,
    signed::Signed,
};

/// A post whose message came as its device sent it.
pub(super) struct Posted {
    body: Zeroizing<Vec<u8>>,
    sha256: [u8; 32],
    id: SessionId,
}

impl Posted {
    /// # Errors
    ///
    /// `WS_MSG_MALFORMED` if the message was damaged, `BAD_REQUEST` if this is no post.
    pub(super) fn of(signed: &Signed) -> ApiResult<Self> {
        expect_media_type(signed.headers(), MEDIA_TYPE)?;
        let body = Zeroizing::new(signed.body().to_vec());
        let id = open(&body)?.session_id();
        Ok(Self { sha256: Sha256::digest(&body).into(), body, id })
    }

    /// SHA-256 of the body.
    pub(super) const fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// The session that it belongs to.
    pub(super) const fn id(&self) -> &SessionId {
        &self.id
    }

    /// The head.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST`. The message quotes nothing.
    pub(super) fn head<T: DeserializeOwned>(&self) -> ApiResult<T> {
        frame(&self.body)?.head().map_err(malformed)
    }

    /// The session's secret.
    pub(super) fn secret(&self) -> ApiResult<SessionSecret> {
        Ok(frame(&self.body)?.secret)
    }

    /// The message.
    pub(super) fn post(&self) -> ApiResult<Post<'_>> {
        open(&self.body)
    }

    /// Refuses a message that does not belong where it was sent.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST`.
    pub(super) fn expect_first(&self, operation: OperationKind) -> ApiResult<()> {
        let post = self.post()?;
        if post.is_first() && post.operation() == operation {
            return Ok(());
        }
        Err(ApiError::bad_request("the message is no first post of the operation in the head"))
    }

    /// The same for a second post, which is sent to its session's path.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST`.
    pub(super) fn expect_second(&self, session: &str) -> ApiResult<()> {
        if !self.post()?.is_first() && self.id.to_string() == session {
            return Ok(());
        }
        Err(ApiError::bad_request("the message is no second post of the session in the path"))
    }
}

fn frame(body: &[u8]) -> ApiResult<PostFrame<'_>> {
    PostFrame::decode(body).map_err(malformed)
}

fn open(body: &[u8]) -> ApiResult<Post<'_>> {
    let PostFrame { secret, message, .. } = frame(body)?;
    Post::open(message, &secret).map_err(|error| match error {
        Error::Damaged => ApiError::new(
            ErrorId::MessageMalformed,
            "the message was damaged on the way: send it again",
        ),
        error => ApiError::bad_request(error.to_string()),
    })
}

fn malformed(error: FrameError) -> ApiError {
    match error {
        FrameError::CutShort | FrameError::NoObject => ApiError::bad_request(error.to_string()),
        FrameError::Head(error) => {
            let (line, column) = (error.line(), error.column());
            ApiError::bad_request(format!("the head is malformed at line {line}, column {column}"))
        }
    }
}
