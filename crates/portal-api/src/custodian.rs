//! What a custodian asks for.

use std::fmt;

use backup_core::CustodianId;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::encoding;

/// Asks for a new client.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateClient {
    /// Portal's flag for smart accounts; kept as given.
    #[serde(default)]
    pub is_account_abstracted: bool,
}

/// A new client. The key is shown this once.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedClient {
    /// The custodian whose user it is: the other half of what every backup is bound to.
    #[serde(with = "encoding::text")]
    pub custodian_id: CustodianId,
    /// The client's id, which never changes.
    pub id: String,
    /// The client's API key. Secret.
    pub client_api_key: Zeroizing<String>,
    /// As it was asked for.
    pub is_account_abstracted: bool,
}

impl fmt::Debug for CreatedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedClient").field("id", &self.id).finish_non_exhaustive()
    }
}
