//! Between the service and a custodian that keeps its halves itself: Portal's webhook.

mod secret;

use std::fmt;

use backup_core::{ClientId, MethodId, SharePairId};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use self::secret::{SecretError, WebhookSecret};
use crate::{compat::Timestamp, encoding};

/// Where a half is posted to be kept, below the custodian's base URL.
pub const BACKUP: &str = "/backup";

/// Where all halves of a client are asked for, likewise.
pub const FETCH: &str = "/backup/fetch";

/// Portal's header, in which the secret itself stands.
pub const SECRET_HEADER: &str = "x-webhook-secret";

/// The unique id of a request, by the Standard Webhooks specification.
pub const ID_HEADER: &str = "webhook-id";

/// When a request was made, in seconds since 1970, likewise.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";

/// The signatures of a request, likewise.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// The longest answer with a client's halves, in bytes.
pub const MAX_FETCHED_LEN: usize = 1 << 20;

/// The longest body with a half, in bytes.
pub const MAX_POSTED_LEN: usize = 64 * 1024;

/// A custodian says where its halves are to be kept. Secret.
#[derive(Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RegisterWebhook {
    /// The base URL.
    #[cfg_attr(feature = "openapi", schemars(length(max = 2048)))]
    pub webhook: String,
    /// What the service proves itself by: see [`WebhookSecret`]. Secret.
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::WebhookSecretText"))]
    pub secret: Zeroizing<String>,
    /// A client of the custodian, for whom the two shares of the probe are stored; if there is
    /// none, a name that no client has. Ours: a server that keeps halves of its users only needs
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "encoding::optional_text")]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<crate::schema::Id>"))]
    pub client_id: Option<ClientId>,
}

/// How it stands with a custodian's webhook. The secret is not shown.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WebhookView {
    /// The base URL.
    pub webhook: String,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When it last did what it was asked for, within a minute.
    pub last_success_at: Option<Timestamp>,
    /// When it last did not, likewise.
    pub last_failure_at: Option<Timestamp>,
    /// What was wrong then.
    pub last_failure: Option<String>,
    /// Pairs whose halves are of no use any more, the oldest first, and at most a thousand.
    pub dead_pairs: Vec<DeadPair>,
}

/// A pair whose half a custodian may erase.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeadPair {
    /// Whose it is.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Id"))]
    pub client_id: ClientId,
    /// The method of its backup.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Method"))]
    pub backup_method: MethodId,
    /// The pair.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Id"))]
    pub backup_share_pair_id: SharePairId,
}

/// A custodian has erased the halves of these pairs, which were named as dead.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ErasedPairs {
    /// The pairs.
    #[serde(with = "encoding::texts")]
    #[cfg_attr(feature = "openapi", schemars(with = "Vec<crate::schema::Id>"))]
    pub backup_share_pair_ids: Vec<SharePairId>,
}

/// A half that is to be kept. Portal's older bodies name no pair, and its ids are its own. Secret.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PostedHalf {
    /// The method of the backup.
    pub backup_method: String,
    /// Whose half it is.
    pub client_id: String,
    /// The half, as JSON in a string: an [`EjectableShare`](crate::compat::EjectableShare) of ours,
    /// or whatever Portal's service sends.
    pub share: Zeroizing<String>,
    /// The pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_share_pair_id: Option<String>,
}

/// Asks for all halves of a client.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedHalves {
    /// Whose.
    pub client_id: String,
}

/// All halves of a client, as they were posted: in a list, or, in Portal's older form, the only
/// one. Secret.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FetchedHalves {
    /// All of them.
    #[serde(default)]
    backup_shares: Vec<Zeroizing<String>>,
    /// The only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backup_share: Option<Zeroizing<String>>,
}

impl FetchedHalves {
    /// Of a custodian that keeps any number.
    #[must_use]
    pub fn new(halves: Vec<Zeroizing<String>>) -> Self {
        Self { backup_shares: halves, backup_share: None }
    }

    /// All of them, in whichever form they came.
    pub fn into_halves(self) -> impl Iterator<Item = Zeroizing<String>> {
        self.backup_shares.into_iter().chain(self.backup_share)
    }
}

impl fmt::Debug for RegisterWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterWebhook").field("webhook", &self.webhook).finish_non_exhaustive()
    }
}

impl fmt::Debug for PostedHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pair = &self.backup_share_pair_id;
        f.debug_struct("PostedHalf").field("pair", pair).finish_non_exhaustive()
    }
}

impl fmt::Debug for FetchedHalves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchedHalves").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halves(json: &str) -> Vec<String> {
        let fetched: FetchedHalves = serde_json::from_str(json).unwrap();
        fetched.into_halves().map(|half| half.as_str().to_owned()).collect()
    }

    #[test]
    fn halves_come_in_a_list_or_as_the_only_one() {
        assert_eq!(halves(r#"{"backupShares":["a","b"]}"#), ["a", "b"]);
        assert_eq!(halves(r#"{"backupShare":"a"}"#), ["a"]);
        assert!(halves(r#"{"backupShares":[]}"#).is_empty());
        assert!(serde_json::from_str::<FetchedHalves>(r#"{"backupShares":"a"}"#).is_err());
    }

    #[test]
    fn portals_bodies_are_read_with_a_pair_and_without() {
        let old = r#"{"backupMethod":"GDRIVE","clientId":"c","share":"{\"share\":\"1\"}"}"#;
        let old: PostedHalf = serde_json::from_str(old).unwrap();
        assert_eq!((old.share.as_str(), old.backup_share_pair_id), (r#"{"share":"1"}"#, None));
        let new = r#"{"backupMethod":"G","clientId":"c","share":"s","backupSharePairId":"p"}"#;
        let new: PostedHalf = serde_json::from_str(new).unwrap();
        assert_eq!(new.backup_share_pair_id.as_deref(), Some("p"));
    }

    #[test]
    fn neither_half_nor_secret_shows() {
        let posted = PostedHalf {
            backup_method: "GDRIVE".into(),
            client_id: "c".into(),
            share: Zeroizing::new("half".into()),
            backup_share_pair_id: None,
        };
        let secret = Zeroizing::new("half".into());
        let register = RegisterWebhook { webhook: "w".into(), secret, client_id: None };
        let fetched = FetchedHalves::new(vec![Zeroizing::new("half".into())]);
        assert!(!format!("{posted:?}{register:?}{fetched:?}").contains("\"half\""));
    }
}
