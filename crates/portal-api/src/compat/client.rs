//! The client object: what Portal's SDKs know of a client.

use backup_core::{ClientId, Curve, CustodianId, MethodId, SharePairId};
use serde::{Deserialize, Serialize};

use super::Timestamp;
use crate::encoding;

/// A client.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClientObject {
    /// The client.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Id"))]
    pub id: ClientId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its address on EVM chains, once it has such a wallet.
    pub address: Option<String>,
    /// When it was ejected.
    pub ejected_at: Option<Timestamp>,
    /// As the custodian asked for.
    pub is_account_abstracted: bool,
    /// Whose client it is.
    pub custodian: CustodianObject,
    /// How its custodian keeps backups.
    pub environment: EnvironmentObject,
    /// Its addresses.
    pub metadata: MetadataObject,
    /// Its wallets, one per curve.
    pub wallets: Vec<WalletObject>,
}

/// Which of a custodian's clients are asked for, in the query of the request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct ClientsQuery {
    /// The client after which to begin; with the oldest, if it is not given.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many to tell of, from 1 to [`MOST_CLIENTS`]; as many, if it is not given.
    #[serde(default)]
    pub take: Option<u32>,
}

/// How many clients there are on a page at most.
pub const MOST_CLIENTS: u32 = 100;

/// A page of the clients of a custodian.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ClientObjects {
    /// The clients, the oldest first.
    pub results: Vec<ClientObject>,
    /// Which page it is.
    pub metadata: PageMetadata,
}

/// Which page it is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PageMetadata {
    /// What the next page is asked for with; none, if this is the last.
    pub cursor: Option<String>,
    /// How many clients were asked for.
    pub take: u32,
    /// How many there are in all.
    pub total: u64,
}

/// A custodian.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CustodianObject {
    /// The custodian.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Id"))]
    pub id: CustodianId,
    /// What people call it.
    pub name: String,
}

/// How a custodian keeps backups.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentObject {
    /// The environment.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether the service keeps the ciphertexts: the managed mode.
    pub backup_with_portal_enabled: bool,
    /// Whether a client may have backups of several methods.
    pub is_multi_backup_enabled: bool,
}

/// What follows from the public keys.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MetadataObject {
    /// The addresses.
    pub namespaces: Namespaces,
}

/// The addresses, by the names of CAIP-2.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Namespaces {
    /// EVM chains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eip155: Option<NamespaceObject>,
    /// Solana.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub solana: Option<NamespaceObject>,
    /// Bitcoin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bip122: Option<NamespaceObject>,
    /// Stellar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stellar: Option<NamespaceObject>,
    /// Tron.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tron: Option<NamespaceObject>,
}

/// An address.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct NamespaceObject {
    /// The address; for Bitcoin that on the main network.
    pub address: String,
    /// The curve of the wallet that has it.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::CurveName"))]
    pub curve: Curve,
    /// The addresses of both networks of Bitcoin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitcoin: Option<Bitcoin>,
}

/// Addresses on Bitcoin, by their kind.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Bitcoin {
    /// Pay to witness public key hash.
    pub p2wpkh: P2wpkh,
}

/// Addresses of one kind, by network.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct P2wpkh {
    /// The main network.
    pub mainnet: String,
    /// The test networks.
    pub testnet: String,
}

/// A wallet.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WalletObject {
    /// The wallet: the same as long as its key.
    pub id: String,
    /// When the pair was made that signs now.
    pub created_at: Timestamp,
    /// Its curve.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::CurveName"))]
    pub curve: Curve,
    /// Its public key, as JSON in a string: the coordinates `x` and `y` in decimal, and
    /// `compressed` in hex.
    pub public_key: String,
    /// Until when it may be ejected.
    pub ejectable_until: Option<Timestamp>,
    /// Its backups, newest first: of each method at most one that is completed.
    pub backup_share_pairs: Vec<BackupPairObject>,
    /// The pairs that sign, or wait for their test.
    pub signing_share_pairs: Vec<SigningPairObject>,
}

/// A backup share pair.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BackupPairObject {
    /// The pair.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Id"))]
    pub id: SharePairId,
    /// When it was made.
    pub created_at: Timestamp,
    /// The method that opens it.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Method"))]
    pub backup_method: MethodId,
    /// Whether it recovers its wallet.
    pub status: PairStatus,
}

/// A signing share pair.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SigningPairObject {
    /// The pair.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Id"))]
    pub id: SharePairId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it signs.
    pub status: PairStatus,
}

/// How far a pair has come, as it is told to SDKs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum PairStatus {
    /// It is not of use yet.
    Incomplete,
    /// It is of use.
    Completed,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn evm_wallet() -> WalletObject {
        WalletObject {
            id: "w".into(),
            created_at: Timestamp(60),
            curve: Curve::Secp256k1,
            public_key: r#"{"x":"1","y":"2"}"#.into(),
            ejectable_until: None,
            backup_share_pairs: vec![BackupPairObject {
                id: SharePairId::new("b").unwrap(),
                created_at: Timestamp(61),
                backup_method: MethodId::GDRIVE,
                status: PairStatus::Completed,
            }],
            signing_share_pairs: vec![SigningPairObject {
                id: SharePairId::new("s").unwrap(),
                created_at: Timestamp(60),
                status: PairStatus::Incomplete,
            }],
        }
    }

    fn client() -> ClientObject {
        let evm = NamespaceObject { address: "0xa".into(), curve: Curve::Secp256k1, bitcoin: None };
        ClientObject {
            id: ClientId::new("c").unwrap(),
            created_at: Timestamp(0),
            address: Some("0xa".into()),
            ejected_at: None,
            is_account_abstracted: false,
            custodian: CustodianObject { id: CustodianId::new("k").unwrap(), name: "k".into() },
            environment: EnvironmentObject {
                id: "k".into(),
                name: "default".into(),
                backup_with_portal_enabled: true,
                is_multi_backup_enabled: true,
            },
            metadata: MetadataObject {
                namespaces: Namespaces { eip155: Some(evm), ..Namespaces::default() },
            },
            wallets: vec![evm_wallet()],
        }
    }

    #[test]
    fn a_client_looks_as_portals_sdks_read_it() {
        let expected = json!({
            "id": "c",
            "createdAt": "1970-01-01T00:00:00.000Z",
            "address": "0xa",
            "ejectedAt": null,
            "isAccountAbstracted": false,
            "custodian": { "id": "k", "name": "k" },
            "environment": {
                "id": "k",
                "name": "default",
                "backupWithPortalEnabled": true,
                "isMultiBackupEnabled": true,
            },
            "metadata": {
                "namespaces": { "eip155": { "address": "0xa", "curve": "SECP256K1" } },
            },
            "wallets": [{
                "id": "w",
                "createdAt": "1970-01-01T00:01:00.000Z",
                "curve": "SECP256K1",
                "publicKey": "{\"x\":\"1\",\"y\":\"2\"}",
                "ejectableUntil": null,
                "backupSharePairs": [{
                    "id": "b",
                    "createdAt": "1970-01-01T00:01:01.000Z",
                    "backupMethod": "GDRIVE",
                    "status": "completed",
                }],
                "signingSharePairs": [{
                    "id": "s",
                    "createdAt": "1970-01-01T00:01:00.000Z",
                    "status": "incomplete",
                }],
            }],
        });
        assert_eq!(serde_json::to_value(client()).unwrap(), expected);
    }
}
