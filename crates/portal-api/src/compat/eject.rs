//! What Portal's API says about ejecting a wallet: bringing its private key into one place.

use std::fmt;

use backup_core::{ClientId, MethodId, SharePairId};
use base64ct::{Base64UrlUnpadded, Encoding};
use portal_mpc::{OnCurve, PublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Timestamp, notices::method};
use crate::{Proof, ReleaseRecipient, encoding};

/// A custodian lets a client eject a wallet for a while.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EnableEject {
    /// The wallet.
    pub wallet_id: String,
    /// Until when; for five minutes, if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ejectable_until: Option<Timestamp>,
}

/// Until when a wallet may be ejected.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EjectEnabled {
    /// Until then.
    pub ejectable_until: Timestamp,
}

/// Asks for the custodian's half of a backup. All but the method are ours: Portal asks for no more
/// than the API key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PrepareEject {
    /// The method of the backup; none, if it is not named, or called `UNKNOWN`.
    #[serde(default, deserialize_with = "method", skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "encoding::optional_text::serialize")]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<crate::schema::AnyMethod>"))]
    pub backup_method: Option<MethodId>,
    /// The pair of the backup.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Id"))]
    pub backup_share_pair_id: SharePairId,
    /// To whom the half is encrypted.
    pub recipient: ReleaseRecipient,
    /// That who asks holds the other half: over [`release_statement`](crate::release_statement).
    pub proof: Proof,
}

/// The custodian's half.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PreparedEject {
    /// A [`ReleasedHalf`](crate::ReleasedHalf), as JSON in a string.
    pub share: String,
}

/// Both halves of a wallet's newest backup, as far as the one who asks gets them.
#[derive(Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EjectableShares {
    /// The client's half: an envelope; none, if the app keeps it.
    pub encrypted_client_backup_share: Option<String>,
    /// The custodian's half: an [`EjectableShare`], as JSON in a string. For the custodian only.
    /// Secret.
    #[cfg_attr(feature = "openapi", schemars(with = "Option<String>"))]
    pub custodian_backup_share: Option<Zeroizing<String>>,
}

/// The custodian's half, as the custodian gets it. Secret.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EjectableShare {
    /// The pair.
    #[serde(with = "encoding::text")]
    pub backup_share_pair_id: SharePairId,
    /// The half in its stored form (`docs/mpc.md`), in base64url.
    pub share: Zeroizing<String>,
}

/// A client tells that it has ejected.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Ejected {
    /// On what.
    pub client_platform: String,
    /// In which version.
    pub client_platform_version: String,
}

impl EjectableShare {
    /// The half in its stored form. None, if it is no base64url.
    #[must_use]
    pub fn bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        Base64UrlUnpadded::decode_vec(&self.share).ok().map(Zeroizing::new)
    }
}

impl fmt::Debug for EjectableShares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EjectableShares").finish_non_exhaustive()
    }
}

impl fmt::Debug for EjectableShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pair = &self.backup_share_pair_id;
        f.debug_struct("EjectableShare").field("pair", pair).finish_non_exhaustive()
    }
}

/// The name of a wallet: the same as long as its client and its key.
#[must_use]
pub fn wallet_id(client: &ClientId, key: &PublicKey) -> String {
    let mut hash = Sha256::new();
    hash.update(b"portal-api/1 wallet\n");
    hash.update(client.as_str());
    hash.update(b"\n");
    hash.update(key.curve().as_str());
    hash.update(key.as_bytes());
    base16ct::lower::encode_string(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custodian_says_until_when_or_leaves_it_open() {
        let read = |json: &str| serde_json::from_str::<EnableEject>(json);
        assert_eq!(read(r#"{"walletId":"w"}"#).unwrap().ejectable_until, None);
        let json = r#"{"walletId":"w","ejectableUntil":"2026-09-21T14:13:20.000Z"}"#;
        assert_eq!(read(json).unwrap().ejectable_until, Some(Timestamp(1_790_000_000)));
        assert_eq!(serde_json::to_string(&read(json).unwrap()).unwrap(), json);
        assert!(read(r#"{"walletId":"w","ejectableUntil":"tomorrow"}"#).is_err());
        assert!(read("{}").is_err());
    }

    #[test]
    fn what_portals_sdks_ask_for_without_a_proof_is_not_understood() {
        assert!(serde_json::from_str::<PrepareEject>(r#"{"backupMethod":"GDRIVE"}"#).is_err());
    }
}
