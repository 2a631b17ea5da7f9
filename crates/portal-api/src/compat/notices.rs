//! What Portal's SDKs tell of backups, and what they store and ask for.

use std::collections::HashMap;

use backup_core::{MethodId, SharePairId};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _, de::IgnoredAny};

use crate::encoding;

/// Stores the client's ciphertext of a backup pair.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct StoreCipherText {
    /// The ciphertext: an envelope (`docs/format.md`).
    pub client_cipher_text: String,
}

/// The client's ciphertext of a backup pair.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CipherText {
    /// The ciphertext, as it was stored.
    pub cipher_text: String,
}

/// Tells how far some backup pairs have come.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BackupPairNotice {
    /// The pairs.
    #[serde(with = "encoding::texts")]
    #[cfg_attr(feature = "openapi", schemars(with = "Vec<crate::schema::Id>"))]
    pub backup_share_pair_ids: Vec<SharePairId>,
    /// How far.
    pub status: BackupStage,
}

/// Tells how far some signing pairs have come.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SigningPairNotice {
    /// The pairs.
    #[serde(with = "encoding::texts")]
    #[cfg_attr(feature = "openapi", schemars(with = "Vec<crate::schema::Id>"))]
    pub signing_share_pair_ids: Vec<SharePairId>,
    /// How far.
    pub status: SigningStage,
}

/// Tells whether an app has stored the client's half of what is pending of a method.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct StoredNotice {
    /// The method; none, if the app names none or calls it `UNKNOWN`.
    #[serde(default, deserialize_with = "method", skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "encoding::optional_text::serialize")]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<crate::schema::AnyMethod>"))]
    pub backup_method: Option<MethodId>,
    /// Whether it has.
    pub success: bool,
}

/// Who a user is, for statistics that are not kept.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Identify {
    /// What is said of it.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(with = "HashMap<String, serde_json::Value>"))]
    pub traits: HashMap<String, IgnoredAny>,
}

/// What a user did, for statistics that are not kept.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Track {
    /// What it was.
    pub event: String,
    /// What is said of it.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(with = "HashMap<String, serde_json::Value>"))]
    pub properties: HashMap<String, IgnoredAny>,
}

/// That statistics were understood, and dropped. Portal's class for React Native looks for
/// `success`, and its others for `status`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Dropped {
    /// Always true.
    pub status: bool,
    /// Always true.
    pub success: bool,
}

macro_rules! stages {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $stage:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name {
            $($(#[$of])* $stage,)*
        }

        impl $name {
            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$stage => $text,)*
                }
            }

            /// The stage of this name, in letters of any case.
            #[must_use]
            pub fn of(name: &str) -> Option<Self> {
                let mut all = [$(Self::$stage),*].into_iter();
                all.find(|stage| stage.as_str().eq_ignore_ascii_case(name))
            }
        }

        #[cfg(feature = "openapi")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($text),*] })
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                Self::of(&name).ok_or_else(|| D::Error::custom("no such status"))
            }
        }
    };
}

stages! {
    /// How far a backup pair has come, from first to last.
    BackupStage {
        /// The custodian has its half.
        CustodianShare = "STORED_CUSTODIAN_BACKUP_SHARE",
        /// The method has the client's key as well.
        ClientKey = "STORED_CLIENT_BACKUP_SHARE_KEY",
        /// The client's half is stored as well.
        ClientShare = "STORED_CLIENT_BACKUP_SHARE",
    }
}

stages! {
    /// How far a signing pair has come, from first to last.
    SigningStage {
        /// The service has its half.
        Database = "STORED_DATABASE",
        /// The device has its half as well.
        Client = "STORED_CLIENT",
    }
}

/// A method by its name in letters of any case: what has a dot is lower case, all else upper case.
pub(super) fn method<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<MethodId>, D::Error> {
    let Some(name) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let folded =
        if name.contains('.') { name.to_ascii_lowercase() } else { name.to_ascii_uppercase() };
    if folded == "UNKNOWN" {
        return Ok(None);
    }
    MethodId::new(folded).map(Some).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_read_as_every_sdk_writes_it() {
        for status in ["STORED_CLIENT_BACKUP_SHARE", "stored_client_backup_share"] {
            let json = format!(r#"{{"backupSharePairIds":["a","b"],"status":"{status}","x":1}}"#);
            let notice: BackupPairNotice = serde_json::from_str(&json).unwrap();
            assert_eq!(notice.status, BackupStage::ClientShare);
            assert_eq!(notice.backup_share_pair_ids.len(), 2);
        }
        let json = r#"{"signingSharePairIds":["a"],"status":"Stored_Client"}"#;
        let notice: SigningPairNotice = serde_json::from_str(json).unwrap();
        assert_eq!(notice.status, SigningStage::Client);
        let json = serde_json::to_string(&notice).unwrap();
        assert_eq!(json, r#"{"signingSharePairIds":["a"],"status":"STORED_CLIENT"}"#);
    }

    #[test]
    fn the_method_of_a_notice_is_named_in_letters_of_any_case_or_not_at_all() {
        let named = |json: &str| serde_json::from_str::<StoredNotice>(json).unwrap().backup_method;
        for name in ["GDRIVE", "gdrive", "GDrive"] {
            let json = format!(r#"{{"backupMethod":"{name}","success":true}}"#);
            assert_eq!(named(&json), Some(MethodId::GDRIVE));
        }
        let dotted = r#"{"backupMethod":"COM.example.usb","success":true}"#;
        assert_eq!(named(dotted), Some(MethodId::new("com.example.usb").unwrap()));
        let unnamed = [
            r#"{"success":false}"#,
            r#"{"backupMethod":null,"success":true}"#,
            r#"{"backupMethod":"unknown","success":true,"isMultiBackupEnabled":true}"#,
        ];
        for json in unnamed {
            assert_eq!(named(json), None);
        }
    }

    #[test]
    fn what_is_no_notice_is_refused() {
        for wrong in [
            r#"{"backupSharePairIds":["a"],"status":"DONE"}"#,
            r#"{"backupSharePairIds":["a b"],"status":"STORED_CLIENT_BACKUP_SHARE"}"#,
            r#"{"status":"STORED_CLIENT_BACKUP_SHARE"}"#,
        ] {
            assert!(serde_json::from_str::<BackupPairNotice>(wrong).is_err(), "{wrong}");
        }
        for wrong in [r#"{"backupMethod":"GDRIVE"}"#, r#"{"backupMethod":"a b","success":true}"#] {
            assert!(serde_json::from_str::<StoredNotice>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ciphertexts_are_named_as_portal_names_them() {
        let stored = StoreCipherText { client_cipher_text: "e".into() };
        assert_eq!(serde_json::to_string(&stored).unwrap(), r#"{"clientCipherText":"e"}"#);
        let read = CipherText { cipher_text: "e".into() };
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"cipherText":"e"}"#);
    }
}
