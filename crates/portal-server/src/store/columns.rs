//! How values stand in columns.

use std::str::FromStr;

use backup_core::Curve;
use portal_api::{Completion, DevicePublicKey, compat::BackupStage};
use portal_mpc::PublicKey;

use super::StoreError;

/// Text that has a type.
pub(super) fn parsed<T: FromStr>(text: &str, what: &'static str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Damaged(what))
}

/// Text that has a type, where there may be none.
pub(super) fn parsed_option<T: FromStr>(
    text: Option<String>,
    what: &'static str,
) -> Result<Option<T>, StoreError> {
    text.map(|text| parsed(&text, what)).transpose()
}

/// 32 bytes.
pub(super) fn hash(bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Damaged("hash"))
}

/// 32 bytes, where there may be none.
pub(super) fn hash_option(bytes: Option<Vec<u8>>) -> Result<Option<[u8; 32]>, StoreError> {
    bytes.map(|bytes| hash(&bytes)).transpose()
}

/// A device key.
pub(super) fn device_key(bytes: &[u8]) -> Result<DevicePublicKey, StoreError> {
    hash(bytes).map(DevicePublicKey::from_bytes)
}

/// What completes a set.
pub(super) const fn from_completion(completion: Completion) -> &'static str {
    match completion {
        Completion::Commit => "COMMIT",
        Completion::Notice => "NOTICE",
    }
}

/// The same back.
pub(super) fn completion(text: &str) -> Result<Completion, StoreError> {
    match text {
        "COMMIT" => Ok(Completion::Commit),
        "NOTICE" => Ok(Completion::Notice),
        _ => Err(StoreError::Damaged("completion")),
    }
}

/// How far a pair has come by the word of its app.
pub(super) fn stage(text: &str) -> Result<BackupStage, StoreError> {
    BackupStage::of(text).ok_or(StoreError::Damaged("stage"))
}

/// A wallet's key.
pub(super) fn public_key(curve: &str, bytes: &[u8]) -> Result<PublicKey, StoreError> {
    let curve = Curve::ALL.into_iter().find(|known| known.as_str() == curve);
    let curve = curve.ok_or(StoreError::Damaged("curve"))?;
    PublicKey::from_bytes(curve, bytes).map_err(|_| StoreError::Damaged("public key"))
}

/// Times and counters: columns are signed, and nothing in them is negative.
pub(super) fn to_column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// So many seconds before a time; before 1970 if there are not as many.
pub(super) fn to_column_before(now: u64, seconds: u64) -> i64 {
    to_column(now).saturating_sub(to_column(seconds))
}

/// The same back.
pub(super) fn from_column(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Damaged("time or counter"))
}

/// The same back, where there may be none.
pub(super) fn from_column_option(number: Option<i64>) -> Result<Option<u64>, StoreError> {
    number.map(from_column).transpose()
}
