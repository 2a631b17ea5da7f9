//! The user who is signed in, as Apple names them to this app.

use backup_core::Result;
use serde::Deserialize;

use crate::{http::Request, refusal::unreadable};

/// Asks who it is.
pub(crate) fn request() -> Request {
    Request { operation: "public/users/current", body: None }
}

/// The record name: one for all devices, another for each app.
pub(crate) fn read(answer: &[u8]) -> Result<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct User {
        user_record_name: String,
    }
    let user: User = serde_json::from_slice(answer).map_err(|_| unreadable())?;
    Ok(user.user_record_name)
}
