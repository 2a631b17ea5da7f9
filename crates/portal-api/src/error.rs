//! Errors, in Portal's shape.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The body of every answer that is no success.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong, for a program and for a person.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ErrorDetail {
    /// For a program.
    pub id: ErrorId,
    /// For a person: what was wrong and what to do. It holds no secret.
    pub message: String,
    /// The HTTP status. Portal calls its own numbers deprecated.
    pub code: u16,
}

macro_rules! error_ids {
    ($($(#[$doc:meta])* $id:ident = $text:literal,)*) => {
        /// The kind of an error, by Portal's names.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
        #[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
        #[non_exhaustive]
        pub enum ErrorId {
            $($(#[$doc])* #[serde(rename = $text)] $id,)*
            /// A kind that this release does not know.
            #[serde(other)]
            #[cfg_attr(feature = "openapi", schemars(skip))]
            Unknown,
        }

        impl ErrorId {
            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$id => $text,)*
                    Self::Unknown => "UNKNOWN",
                }
            }
        }
    };
}

error_ids! {
    /// The key is missing, unknown or expired.
    AuthFailed = "AUTH_FAILED",
    /// The request is wrong.
    BadRequest = "BAD_REQUEST",
    /// Making a wallet failed: begin a new session.
    DkgFailed = "DKG_FAILED",
    /// Making a pair out of another one failed: begin a new session.
    DkgRefreshFailed = "DKG_REFRESH_FAILED",
    /// The two halves of a backup do not belong together.
    DkgRefreshMismatch = "DKG_REFRESH_MISMATCH",
    /// Too much at once: wait and repeat.
    Error = "ERROR",
    /// The service failed: repeat.
    InternalError = "INTERNAL_ERROR",
    /// There is no such thing, or no longer.
    NotFound = "NOT_FOUND",
    /// The same request is being worked on: wait and repeat.
    OperationInProgress = "OPERATION_IN_PROGRESS",
    /// Signing failed: begin a new session.
    SignFailed = "SIGN_FAILED",
    /// The device's signing set is not the live one.
    SignShareMismatch = "SIGN_SHARE_MISMATCH",
    /// Not possible in this state. Nothing has changed.
    StateInvalid = "STATE_INVALID",
    /// The custodian's webhook did not keep or give back a half. What was backed up before is as
    /// good as it was.
    WebhookFailed = "WEBHOOK_FAILED",
    /// The request was damaged on the way: send it again.
    MessageMalformed = "WS_MSG_MALFORMED",
}

impl fmt::Display for ErrorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_portals_shape_and_an_unknown_id_is_read() {
        let detail =
            ErrorDetail { id: ErrorId::StateInvalid, message: "look again".into(), code: 409 };
        let json = serde_json::to_string(&ErrorBody { error: detail }).unwrap();
        let expected = r#"{"error":{"id":"STATE_INVALID","message":"look again","code":409}}"#;
        assert_eq!(json, expected);
        let later: ErrorBody = serde_json::from_str(&json.replace("STATE_INVALID", "NEW")).unwrap();
        assert_eq!(later.error.id, ErrorId::Unknown);
    }
}
