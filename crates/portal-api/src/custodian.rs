//! What a custodian asks for.

use std::fmt;

use backup_core::CustodianId;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::encoding;

/// Asks for a new client.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreateClient {
    /// Portal's flag for smart accounts; kept as given.
    #[serde(default)]
    pub is_account_abstracted: bool,
}

/// A new client. The key is shown this once.
#[derive(Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreatedClient {
    /// The custodian whose user it is: the other half of what every backup is bound to.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Id"))]
    pub custodian_id: CustodianId,
    /// The client's id, which never changes.
    pub id: String,
    /// The client's API key. Secret.
    #[cfg_attr(feature = "openapi", schemars(with = "String"))]
    pub client_api_key: Zeroizing<String>,
    /// A session token of it. Secret.
    #[cfg_attr(feature = "openapi", schemars(with = "String"))]
    pub client_session_token: Zeroizing<String>,
    /// As it was asked for.
    pub is_account_abstracted: bool,
}

/// A session token of a client, which does what its API key does, for a while.
#[derive(Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClientSession {
    /// The client.
    pub id: String,
    /// The token. Secret.
    #[cfg_attr(feature = "openapi", schemars(with = "String"))]
    pub client_session_token: Zeroizing<String>,
    /// As it was asked for when the client was made.
    pub is_account_abstracted: bool,
}

impl fmt::Debug for ClientSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSession").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for CreatedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedClient").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_as_portal_names_it_and_its_token_does_not_show() {
        let session = ClientSession {
            id: "c".into(),
            client_session_token: Zeroizing::new("cs_secret".into()),
            is_account_abstracted: false,
        };
        let json = serde_json::to_string(&session).unwrap();
        let expected = r#"{"id":"c","clientSessionToken":"cs_secret","isAccountAbstracted":false}"#;
        assert_eq!(json, expected);
        assert!(!format!("{session:?}").contains("secret"));
    }
}
