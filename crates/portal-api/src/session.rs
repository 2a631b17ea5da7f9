//! What the posts and replies of a session say besides their message.

use backup_core::{BackupId, MethodId, SharePairId};
use serde::{Deserialize, Serialize};

use crate::{DevicePublicKey, PerCurve, encoding};

/// The head of a first post: what the session is for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(tag = "operation", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[serde(deny_unknown_fields)]
pub enum FirstPost {
    /// Make a wallet.
    Generate {
        /// The curves, each with nothing.
        curves: PerCurve<Nothing>,
        /// The key of the new signing set.
        #[serde(with = "encoding::text")]
        #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Key"))]
        device_key: DevicePublicKey,
    },
    /// Sign with the live set.
    Sign {
        /// What to sign, per curve.
        payloads: PerCurve<SignPayload>,
    },
    /// Make a backup set of the live set.
    BackUp {
        /// The id that the device gives the set.
        #[serde(with = "encoding::text")]
        #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Id"))]
        backup: BackupId,
        /// The method that will open it.
        #[serde(with = "encoding::text")]
        #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Method"))]
        method: MethodId,
        /// What will complete it.
        #[serde(default, skip_serializing_if = "Completion::is_commit")]
        completion: Completion,
    },
    /// Make a new signing set of a completed backup set.
    Recover {
        /// The backup's pairs, all of its curves.
        pairs: PerCurve<PairName>,
        /// The key of the new signing set.
        #[serde(with = "encoding::text")]
        #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Key"))]
        device_key: DevicePublicKey,
    },
    /// Sign the test of a new signing set, which makes it live.
    Confirm {
        /// The set.
        #[serde(with = "encoding::text")]
        #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Key"))]
        device_key: DevicePublicKey,
    },
}

/// What completes a backup set. Its device says so, signed, when it begins the set.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Completion {
    /// The device's commit, which it signs.
    #[default]
    Commit,
    /// A notice of its app, by Portal's own routes, which nobody signs.
    Notice,
}

impl Completion {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the field")]
    const fn is_commit(&self) -> bool {
        matches!(self, Self::Commit)
    }
}

/// What is to be signed on one curve.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum SignPayload {
    /// A digest, signed as it is: on secp256k1.
    Digest(
        #[serde(with = "encoding::hex")]
        #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Hash"))]
        [u8; 32],
    ),
    /// A message of at most [`MAX_MESSAGE_LEN`](Self::MAX_MESSAGE_LEN) bytes: on Ed25519.
    Message(
        #[serde(with = "encoding::base64url")]
        #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Base64Url"))]
        Vec<u8>,
    ),
}

impl SignPayload {
    /// The longest message, in bytes.
    pub const MAX_MESSAGE_LEN: usize = 64 * 1024;
}

/// The head of a first reply: the names of the pairs that are being made.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct FirstReply {
    /// Their names; the message holds the names' hashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairs: Option<PerCurve<PairName>>,
}

/// The name of a pair.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct PairName(
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Id"))]
    pub SharePairId,
);

/// A head that says nothing.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_names_its_operation_and_takes_nothing_else() {
        let head = |completion| FirstPost::BackUp {
            backup: BackupId::new("b1").unwrap(),
            method: MethodId::PASSWORD,
            completion,
        };
        let json = serde_json::to_string(&head(Completion::Commit)).unwrap();
        assert_eq!(json, r#"{"operation":"backUp","backup":"b1","method":"PASSWORD"}"#);
        assert_eq!(serde_json::from_str::<FirstPost>(&json).unwrap(), head(Completion::Commit));
        let noticed = json.replace('}', r#","completion":"NOTICE"}"#);
        assert_eq!(serde_json::to_string(&head(Completion::Notice)).unwrap(), noticed);
        assert_eq!(serde_json::from_str::<FirstPost>(&noticed).unwrap(), head(Completion::Notice));
        for wrong in [
            r#"{"operation":"eject"}"#,
            r#"{"operation":"backUp","backup":"b1"}"#,
            r#"{"operation":"backUp","backup":"b 1","method":"PASSWORD"}"#,
            r#"{"operation":"backUp","backup":"b1","method":"PASSWORD","more":1}"#,
        ] {
            assert!(serde_json::from_str::<FirstPost>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_digest_has_32_bytes() {
        let digest = |len| format!(r#"{{"digest":"{}"}}"#, "0a".repeat(len));
        assert!(serde_json::from_str::<SignPayload>(&digest(32)).is_ok());
        assert!(serde_json::from_str::<SignPayload>(&digest(31)).is_err());
        assert!(serde_json::from_str::<SignPayload>(&digest(33)).is_err());
    }
}
