//! Envelopes: what one has to fit, and the text itself.

use backup_core::{BackupId, ClientId, Curve, EncryptionContext, MethodId, SharePairId};
use portal_api::DevicePublicKey;
use sqlx::{AssertSqlSafe, Row, sqlite::SqliteRow};

use super::{Snapshot, Store, StoreError, Write, api_keys, columns, group::Statement};
use crate::api_key::ApiKeyHash;

/// The place for the envelope of a backup set, and what is known of whatever belongs there.
///
/// It is read by one statement, and its public keys are not looked at as points: it is read each
/// time that an envelope is stored.
#[derive(Clone, Debug)]
pub struct EnvelopeSlot {
    /// The set.
    id: BackupId,
    /// Its number: a set of the same id, after this one was dropped, has another.
    number: i64,
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

    /// Stores an envelope, durably, if its place is still as it was read. Whether it was.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn store_envelope(
        &self,
        client: &ClientId,
        slot: &EnvelopeSlot,
        envelope: &StoredEnvelope<'_>,
    ) -> Result<bool, StoreError> {
        Ok(self.write_one(slot.filling(client, envelope)).await? == 1)
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
        let done = slot.filling(client, envelope).execute(self.connection()).await?;
        let is_stored = done.rows_affected() == 1;
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

    /// Puts an envelope there, unless it is there no longer, has another envelope, or another
    /// device signs: what was looked at is looked at again by the database.
    fn filling(&self, client: &ClientId, envelope: &StoredEnvelope<'_>) -> Statement {
        let sql = "UPDATE backup_sets SET envelope = $4, envelope_sha256 = $5, enrollment = $6 \
                   WHERE client_id = $1 AND id = $2 AND number = $3 AND envelope IS NULL \
                   AND $7 IS (SELECT device_key FROM signing_sets \
                   WHERE client_id = $1 AND is_live)";
        sqlx::query(sql)
            .bind(client.as_str().to_owned())
            .bind(self.id.as_str().to_owned())
            .bind(self.number)
            .bind(envelope.text.to_owned())
            .bind(envelope.sha256.to_vec())
            .bind(envelope.enrollment.to_vec())
            .bind(self.live_key.as_ref().map(|key| key.as_bytes().to_vec()))
    }
}

impl SlotPair {
    fn of(row: &SqliteRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: columns::parsed(row.try_get("id")?, "pair id")?,
            curve: columns::curve(row.try_get("curve")?)?,
            public_key: row.try_get("public_key")?,
        })
    }
}
