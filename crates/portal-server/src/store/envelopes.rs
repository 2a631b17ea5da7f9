//! Envelopes: what one has to fit, and the text itself.

use backup_core::{BackupId, ClientId, Curve, EncryptionContext, MethodId, SharePairId};
use portal_api::DevicePublicKey;
use portal_mpc::OnCurve;
use sqlx::{AssertSqlSafe, Row, sqlite::SqliteRow};

use super::{
    KeyAt, NewBackupSet, PairRow, Snapshot, Store, StoreError, Write, api_keys, columns,
    filling::{Filling, Place, fill},
};
use crate::api_key::ApiKeyHash;

/// The place for the envelope of a backup set, and what is known of whatever belongs there.
///
/// It is read by one statement, and its public keys are not looked at as points: it is read each
/// time that an envelope is stored.
#[derive(Clone, Debug)]
pub struct EnvelopeSlot {
    /// The set.
    pub(super) id: BackupId,
    /// Its number: a set of the same id, after this one was dropped, has another.
    pub(super) number: i64,
    /// The key of the device that signs at present.
    pub live_key: Option<DevicePublicKey>,
    /// The method that will open the set.
    pub method: MethodId,
    /// SHA-256 of the envelope that is there.
    pub sha256: Option<[u8; 32]>,
    /// The set's pairs. They are made with it, and stay as they are.
    pub pairs: Vec<SlotPair>,
}

/// A pair of a set, as its envelope has to name it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SlotPair {
    /// Its name.
    pub id: SharePairId,
    /// The curve of its wallet.
    pub curve: Curve,
    /// The bytes of the wallet's public key.
    pub public_key: Vec<u8>,
}

/// An envelope to be stored, and what is kept of it beside.
#[derive(Clone, Copy, Debug)]
pub struct StoredEnvelope<'a> {
    /// The envelope.
    pub text: &'a str,
    /// SHA-256 of it.
    pub sha256: [u8; 32],
    /// The fingerprint of the enrolment that it says it is of.
    pub enrollment: [u8; 32],
}

/// A row for each pair of a set `s`.
const SLOT_COLUMNS: &str = "s.number, s.method, s.envelope_sha256, l.device_key AS live_key, \
     p.id, p.curve, p.public_key";
const SLOT_JOINS: &str = "LEFT JOIN signing_sets l ON l.client_id = s.client_id AND l.is_live \
     LEFT JOIN backup_pairs p ON p.client_id = s.client_id AND p.backup_id = s.id";

impl Store {
    /// The client who has this key at `now`, and the place for the envelope of its set; `None` in
    /// the place of what there is not. It is one lookup, since storing an envelope waits for it.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn client_and_envelope_slot(
        &self,
        key: &ApiKeyHash,
        backup: &BackupId,
        now: u64,
    ) -> Result<Option<(EncryptionContext, Option<EnvelopeSlot>)>, StoreError> {
        let sql = format!(
            "SELECT k.custodian_id, k.client_id, k.key_hash, {SLOT_COLUMNS} FROM api_keys k \
             LEFT JOIN backup_sets s ON s.client_id = k.client_id AND s.id = $3 {SLOT_JOINS} \
             WHERE k.key_hash = $1 AND (k.ends_at IS NULL OR k.ends_at > $2)"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(key.as_bytes().as_slice())
            .bind(columns::to_column(now))
            .bind(backup.as_str())
            .fetch_all(&self.pool)
            .await?;
        let client = api_keys::client(rows.first(), key)?;
        client.map(|client| Ok((client, EnvelopeSlot::of(&rows, backup)?))).transpose()
    }

    /// Stores an envelope, durably, if its place is still as it was read or made, and the key that
    /// it came with is the client's at that time. Whether it is there, by this call or before.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn store_envelope(
        &self,
        client: &ClientId,
        slot: &EnvelopeSlot,
        envelope: &StoredEnvelope<'_>,
        key: Option<KeyAt>,
    ) -> Result<bool, StoreError> {
        self.fill(slot.filling(client, envelope, key)).await
    }
}

impl Snapshot {
    /// The place for the envelope of a set; `None` if there is no such set.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn envelope_slot(
        &mut self,
        client: &ClientId,
        backup: &BackupId,
    ) -> Result<Option<EnvelopeSlot>, StoreError> {
        let sql = format!(
            "SELECT {SLOT_COLUMNS} FROM backup_sets s {SLOT_JOINS} \
             WHERE s.client_id = $1 AND s.id = $2"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(client.as_str())
            .bind(backup.as_str())
            .fetch_all(self.connection())
            .await?;
        EnvelopeSlot::of(&rows, backup)
    }

    /// The envelope of a set; `None` if there is no set, or no envelope yet.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn envelope(
        &mut self,
        client: &ClientId,
        backup: &BackupId,
    ) -> Result<Option<String>, StoreError> {
        let sql = "SELECT envelope FROM backup_sets WHERE client_id = $1 AND id = $2";
        let row = sqlx::query(sql)
            .bind(client.as_str())
            .bind(backup.as_str())
            .fetch_optional(self.connection())
            .await?;
        Ok(row.map(|row| row.try_get("envelope")).transpose()?.flatten())
    }
}

impl Write {
    /// Stores an envelope in its place, as it was read in this transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError`], also if the place was read before and is another by now.
    pub async fn store_envelope(
        &mut self,
        client: &ClientId,
        slot: &EnvelopeSlot,
        envelope: &StoredEnvelope<'_>,
    ) -> Result<(), StoreError> {
        let filled = fill(self.connection(), &[slot.filling(client, envelope, None)]).await?;
        let is_stored = !filled.is_empty();
        if is_stored { Ok(()) } else { Err(StoreError::Damaged("free place for an envelope")) }
    }
}

impl EnvelopeSlot {
    /// Of the rows for the pairs of a set.
    fn of(rows: &[SqliteRow], backup: &BackupId) -> Result<Option<Self>, StoreError> {
        let Some(row) = rows.first() else { return Ok(None) };
        let Some(number) = row.try_get("number")? else { return Ok(None) };
        let live_key: Option<&[u8]> = row.try_get("live_key")?;
        Ok(Some(Self {
            id: backup.clone(),
            number,
            live_key: live_key.map(columns::device_key).transpose()?,
            method: columns::parsed(row.try_get("method")?, "method id")?,
            sha256: columns::hash_option(row.try_get("envelope_sha256")?)?,
            pairs: rows.iter().map(SlotPair::of).collect::<Result<_, _>>()?,
        }))
    }

    /// Of a set that is being made.
    pub(super) fn of_new(set: &NewBackupSet, number: i64) -> Self {
        Self {
            id: set.id.clone(),
            number,
            live_key: Some(set.device_key),
            method: set.method.clone(),
            sha256: None,
            pairs: set.pairs.iter().map(|(_, made)| SlotPair::of_new(made.pair())).collect(),
        }
    }

    fn filling(
        &self,
        client: &ClientId,
        envelope: &StoredEnvelope<'_>,
        key: Option<KeyAt>,
    ) -> Filling {
        Filling {
            key,
            place: Place { client: client.clone(), backup: self.id.clone() },
            number: self.number,
            live_key: self.live_key.as_ref().map(|key| key.as_bytes().to_vec()),
            text: envelope.text.to_owned(),
            sha256: envelope.sha256,
            enrollment: envelope.enrollment,
        }
    }
}

impl SlotPair {
    fn of_new(pair: &PairRow) -> Self {
        Self {
            id: pair.id.clone(),
            curve: pair.curve(),
            public_key: pair.public_key.as_bytes().to_vec(),
        }
    }

    fn of(row: &SqliteRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: columns::parsed(row.try_get("id")?, "pair id")?,
            curve: columns::curve(row.try_get("curve")?)?,
            public_key: row.try_get("public_key")?,
        })
    }
}
