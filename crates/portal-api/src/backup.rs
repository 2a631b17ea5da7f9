//! Backup sets, and what is asked of them.

use backup_core::{BackupId, EncryptionContext, Envelope, MethodId, SharePairId};
use portal_mpc::HoldProof;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Completion, DevicePublicKey, PerCurve, device_key::push_field, encoding};

/// A backup set.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BackupSetView {
    /// The set.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Id"))]
    pub id: BackupId,
    /// The method that opens it.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Method"))]
    pub method: MethodId,
    /// How far it has come.
    pub status: BackupStatus,
    /// What completes it.
    pub completion: Completion,
    /// Whether it is the newest completed one of its method.
    pub head: bool,
    /// Whether it was seen to work, so that older ones may go.
    pub proved: bool,
    /// When it was made, in seconds since 1970.
    pub created_at: u64,
    /// When it was completed.
    pub completed_at: Option<u64>,
    /// When it goes, if it has been superseded.
    pub retires_at: Option<u64>,
    /// The key of the device that made it.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Key"))]
    pub device_key: DevicePublicKey,
    /// SHA-256 of its envelope, once that is stored.
    #[serde(with = "encoding::optional_hash")]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<crate::schema::Hash>"))]
    pub envelope_sha256: Option<[u8; 32]>,
    /// Its pairs.
    pub pairs: PerCurve<BackupPairView>,
}

/// How far a backup set has come.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BackupStatus {
    /// It waits for its envelope or its commit.
    Pending,
    /// It recovers the wallets.
    Completed,
}

/// One pair of a backup set.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BackupPairView {
    /// The pair.
    #[serde(with = "encoding::text")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Id"))]
    pub id: SharePairId,
    /// The wallet's public key, compressed.
    #[serde(with = "encoding::hex")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Hex"))]
    pub public_key: Vec<u8>,
}

/// Completes a set.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Commit {
    /// The head that it replaces.
    #[serde(with = "encoding::optional_text")]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<crate::schema::Id>"))]
    pub replaces: Option<BackupId>,
    /// SHA-256 of the envelope that was read back.
    #[serde(with = "encoding::hex")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Hash"))]
    pub envelope_sha256: [u8; 32],
    /// Whether its slot was opened by the user's method after it was made, with nothing kept from
    /// making it.
    pub opened_after_enrollment: bool,
    /// That the device holds its halves, over [`hold_statement`].
    pub proofs: PerCurve<Proof>,
}

/// A proof that the device holds its half of one pair.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Proof(
    #[serde(with = "encoding::base64url")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::ProofText"))]
    ProofBytes,
);

type ProofBytes = [u8; HoldProof::LEN];

impl From<HoldProof> for Proof {
    fn from(proof: HoldProof) -> Self {
        Self(*proof.as_bytes())
    }
}

impl From<Proof> for HoldProof {
    fn from(proof: Proof) -> Self {
        Self::from_bytes(&proof.0).expect("the length is the type's")
    }
}

/// Destroys completed sets.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Revocations {
    /// The sets.
    #[serde(with = "encoding::texts")]
    #[cfg_attr(feature = "openapi", schemars(with = "Vec<crate::schema::Id>"))]
    pub backups: Vec<BackupId>,
}

/// What a device's proofs are about: this set of this client, with this envelope.
#[must_use]
pub fn hold_statement(
    client: &EncryptionContext,
    backup: &BackupId,
    envelope: &Envelope,
) -> Vec<u8> {
    let mut statement = b"portal-api/1 hold\n".to_vec();
    let digest = Sha256::digest(envelope.as_str());
    for field in [
        client.custodian.as_str().as_bytes(),
        client.client.as_str().as_bytes(),
        backup.as_str().as_bytes(),
        digest.as_slice(),
    ] {
        push_field(&mut statement, field);
    }
    statement
}
