//! What there is of a client: wallets, signing sets, backup sets.

use backup_core::{ClientId, CustodianId, EncryptionContext, SharePairId};
use serde::{Deserialize, Serialize};

use crate::{BackupSetView, DevicePublicKey, PerCurve, device_key::push_field, encoding};

/// A client, as the service knows it. To the device it is a claim.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClientView {
    /// The custodian whose user it is.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Id"))]
    pub custodian_id: CustodianId,
    /// The client.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Id"))]
    pub id: ClientId,
    /// Whether the service keeps its ciphertexts. Otherwise its custodian's apps keep them.
    pub backup_with_portal: bool,
    /// The set that signs; none before the first wallet.
    pub signing: Option<SigningSetView>,
    /// Sets that wait for their confirmation, newest first.
    pub pending_signing: Vec<SigningSetView>,
    /// Backup sets, newest first. Retired and revoked ones are not among them.
    pub backups: Vec<BackupSetView>,
}

/// A signing set.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SigningSetView {
    /// The device's key, which is the set's name.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Key"))]
    pub device_key: DevicePublicKey,
    /// Whether it signs.
    pub status: SigningStatus,
    /// When it was made, in seconds since 1970.
    pub created_at: u64,
    /// The set that was live when this one was begun.
    #[serde(with = "encoding::optional_text")]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<crate::schema::Key>"))]
    pub replaces: Option<DevicePublicKey>,
    /// The backup set that it was recovered from.
    #[serde(with = "encoding::optional_text")]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<crate::schema::Id>"))]
    pub recovered_from: Option<backup_core::BackupId>,
    /// Its pairs.
    pub pairs: PerCurve<SigningPairView>,
}

/// Whether a signing set signs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SigningStatus {
    /// It waits for its test.
    Pending,
    /// It signs.
    Live,
}

/// One pair of a signing set.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SigningPairView {
    /// The pair.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Id"))]
    pub id: SharePairId,
    /// The wallet's public key, compressed.
    #[serde(with = "encoding::hex")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Hex"))]
    pub public_key: Vec<u8>,
    /// Whether signing with it is over: back up and recover.
    pub frozen: bool,
}

/// The context of a client's sessions, with the device key that the operation says.
#[must_use]
pub fn mpc_context(client: &EncryptionContext, device: &DevicePublicKey) -> portal_mpc::Context {
    let mut wallet = Vec::new();
    push_field(&mut wallet, client.custodian.as_str().as_bytes());
    push_field(&mut wallet, client.client.as_str().as_bytes());
    portal_mpc::Context::new(wallet, *device.as_bytes())
}
