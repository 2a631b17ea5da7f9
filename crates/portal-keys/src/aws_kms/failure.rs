//! What an answer of AWS KMS means for whoever asked.

use std::{error, fmt::Debug};

use aws_sdk_kms::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use backup_core::{Error, ErrorKind};

use super::does_not_unwrap;

/// Why a key was not wrapped.
pub(super) fn of_wrap<E, R>(error: &SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata + error::Error + 'static,
    R: Debug,
{
    match code(error) {
        Some("AccessDeniedException") => refusal(
            ErrorKind::Unauthorized,
            "AWS KMS does not let these credentials wrap under the key; its policy has to allow \
             kms:Encrypt and kms:Decrypt",
            error,
        ),
        _ => of_any(error),
    }
}

/// Why a key was not unwrapped. That a key, a context or a byte is another one is one error.
pub(super) fn of_unwrap<E, R>(error: &SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata + error::Error + 'static,
    R: Debug,
{
    match code(error) {
        Some(
            "AccessDeniedException"
            | "IncorrectKeyException"
            | "InvalidCiphertextException"
            | "ValidationException",
        ) => does_not_unwrap(),
        _ => of_any(error),
    }
}

fn of_any<E, R>(error: &SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata + error::Error + 'static,
    R: Debug,
{
    let (kind, message) = match code(error) {
        Some("NotFoundException") => (
            ErrorKind::NotFound,
            "AWS KMS has no such key; check its ARN, or whether it was deleted",
        ),
        Some("DisabledException") => {
            (ErrorKind::Unavailable, "the key is disabled in AWS KMS; enable it")
        }
        Some("KMSInvalidStateException") => (
            ErrorKind::Unavailable,
            "AWS KMS cannot use the key as it stands; if it is to be deleted, cancel that",
        ),
        Some("InvalidKeyUsageException" | "ValidationException") => {
            (ErrorKind::InvalidInput, "the key does not encrypt; it has to be a symmetric one")
        }
        Some(
            "ExpiredTokenException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "MissingAuthenticationTokenException"
            | "UnrecognizedClientException",
        ) => (ErrorKind::Unauthorized, "AWS does not know these credentials, or they are over"),
        _ => (ErrorKind::Unavailable, "AWS KMS does not answer; try again"),
    };
    refusal(kind, message, error)
}

/// The cause is told by its text: what the SDK's errors hold of an answer stays behind.
fn refusal<E, R>(kind: ErrorKind, message: &'static str, error: &SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata + error::Error + 'static,
    R: Debug,
{
    let cause = match code(error) {
        Some(code) => code.to_owned(),
        // Nothing was answered, or nothing that is KMS's.
        None => match error {
            SdkError::TimeoutError(_) => "it took too long".to_owned(),
            SdkError::ResponseError(_) => "the answer is none of AWS KMS's".to_owned(),
            SdkError::DispatchFailure(failure) => failure.as_connector_error().map_or_else(
                || "the request was not sent".to_owned(),
                |error| DisplayErrorContext(error).to_string(),
            ),
            _ => "there are no credentials, or the request could not be made".to_owned(),
        },
    };
    Error::new(kind, message).with_source(cause)
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}
