//! Signing sets.

use backup_core::{BackupId, ClientId, Curve, SharePairId};
use portal_api::DevicePublicKey;
use portal_keys::SealedShare;
use portal_mpc::{ByCurve, OnCurve};
use sqlx::{Row, sqlite::SqliteRow};

use super::{PairRow, SealedPair, Snapshot, StoreError, Write, columns, pairs::by_curve};

/// A signing set.
#[derive(Clone, Debug)]
pub struct SigningRow {
    /// The device's key, which is the set's name.
    pub device_key: DevicePublicKey,
    /// Whether it signs.
    pub is_live: bool,
    /// The set that was live when this one was begun.
    pub replaces: Option<DevicePublicKey>,
    /// The backup set that it was recovered from.
    pub recovered_from: Option<BackupId>,
    /// When it was made.
    pub created_at: u64,
    /// Its pairs.
    pub pairs: ByCurve<SigningPairRow>,
}

/// One pair of a signing set.
#[derive(Clone, Debug)]
pub struct SigningPairRow {
    /// The pair.
    pub pair: PairRow,
    /// Whether signing with it is over.
    pub frozen: bool,
}

/// A pending signing set to be stored.
#[derive(Debug)]
pub struct NewSigningSet {
    /// The device's key.
    pub device_key: DevicePublicKey,
    /// The set that was live when this one was begun.
    pub replaces: Option<DevicePublicKey>,
    /// The backup set that it was recovered from.
    pub recovered_from: Option<BackupId>,
    /// Its pairs, with the service's halves.
    pub pairs: ByCurve<SealedPair>,
}

impl OnCurve for SigningPairRow {
    fn curve(&self) -> Curve {
        self.pair.curve()
    }
}

impl Snapshot {
    /// All signing sets of a client, newest first: at most one is live.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn signing_sets(&mut self, client: &ClientId) -> Result<Vec<SigningRow>, StoreError> {
        let sql = "SELECT device_key, is_live, replaces, recovered_from, created_at \
                   FROM signing_sets WHERE client_id = $1 ORDER BY number DESC";
        let sets = sqlx::query(sql).bind(client.as_str()).fetch_all(self.connection()).await?;
        let mut rows = Vec::with_capacity(sets.len());
        for set in &sets {
            let pairs = self.signing_pairs(set.try_get("device_key")?).await?;
            rows.push(SigningRow::of(set, pairs)?);
        }
        Ok(rows)
    }

    /// The set that signs.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn live_set(&mut self, client: &ClientId) -> Result<Option<SigningRow>, StoreError> {
        Ok(self.signing_sets(client).await?.into_iter().find(|set| set.is_live))
    }

    /// The key of the set that signs.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn live_key(
        &mut self,
        client: &ClientId,
    ) -> Result<Option<DevicePublicKey>, StoreError> {
        let sql = "SELECT device_key FROM signing_sets WHERE client_id = $1 AND is_live";
        let row = sqlx::query(sql).bind(client.as_str()).fetch_optional(self.connection()).await?;
        row.map(|row| columns::device_key(row.try_get("device_key")?)).transpose()
    }

    /// The service's halves of a client's signing set; `None` if there is no such set.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn signing_shares(
        &mut self,
        client: &ClientId,
        device_key: &DevicePublicKey,
    ) -> Result<Option<ByCurve<SealedPair>>, StoreError> {
        let sql = "SELECT p.id, p.curve, p.public_key, p.sealed_share FROM signing_pairs p \
                   JOIN signing_sets s ON s.device_key = p.device_key \
                   WHERE s.client_id = $1 AND s.device_key = $2";
        let rows = sqlx::query(sql)
            .bind(client.as_str())
            .bind(device_key.as_bytes().as_slice())
            .fetch_all(self.connection())
            .await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let pairs = rows.iter().map(SealedPair::of).collect::<Result<Vec<_>, _>>()?;
        by_curve(pairs).map(Some)
    }

    /// Whether any client has a signing set of this name.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn has_signing_set(
        &mut self,
        device_key: &DevicePublicKey,
    ) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM signing_sets WHERE device_key = $1")
            .bind(device_key.as_bytes().as_slice())
            .fetch_optional(self.connection())
            .await?;
        Ok(row.is_some())
    }

    async fn signing_pairs(
        &mut self,
        device_key: Vec<u8>,
    ) -> Result<ByCurve<SigningPairRow>, StoreError> {
        let sql = "SELECT id, curve, public_key, frozen FROM signing_pairs WHERE device_key = $1";
        let rows = sqlx::query(sql).bind(device_key).fetch_all(self.connection()).await?;
        by_curve(rows.iter().map(SigningPairRow::of).collect::<Result<Vec<_>, _>>()?)
    }
}

impl Write {
    /// Stores a set, which is pending.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; also if a set or a pair has one of its names.
    pub async fn insert_signing_set(
        &mut self,
        client: &ClientId,
        set: &NewSigningSet,
        now: u64,
    ) -> Result<(), StoreError> {
        let number = self.next_number(client).await?;
        let sql = "INSERT INTO signing_sets \
                   (device_key, client_id, number, is_live, replaces, recovered_from, created_at) \
                   VALUES ($1, $2, $3, FALSE, $4, $5, $6)";
        sqlx::query(sql)
            .bind(set.device_key.as_bytes().as_slice())
            .bind(client.as_str())
            .bind(number)
            .bind(set.replaces.as_ref().map(|key| key.as_bytes().as_slice()))
            .bind(set.recovered_from.as_ref().map(BackupId::as_str))
            .bind(columns::to_column(now))
            .execute(self.connection())
            .await?;
        for (_, pair) in set.pairs.iter() {
            self.insert_signing_pair(&set.device_key, pair).await?;
        }
        Ok(())
    }

    /// Makes a set the live one, and destroys the one that was.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn make_live(
        &mut self,
        client: &ClientId,
        device_key: &DevicePublicKey,
    ) -> Result<(), StoreError> {
        let key = device_key.as_bytes().as_slice();
        let sql = "DELETE FROM signing_sets \
                   WHERE client_id = $1 AND is_live AND device_key <> $2";
        let done =
            sqlx::query(sql).bind(client.as_str()).bind(key).execute(self.connection()).await?;
        self.destroyed(done.rows_affected());
        let sql = "UPDATE signing_sets SET is_live = TRUE \
                   WHERE client_id = $1 AND device_key = $2";
        sqlx::query(sql).bind(client.as_str()).bind(key).execute(self.connection()).await?;
        Ok(())
    }

    /// Stores another form of the service's half of a pair: confirmed, or frozen.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn replace_signing_share(
        &mut self,
        pair: &SharePairId,
        sealed: &SealedShare,
        frozen: bool,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE signing_pairs SET sealed_share = $2, frozen = $3 WHERE id = $1")
            .bind(pair.as_str())
            .bind(sealed.encode())
            .bind(frozen)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Takes a pair out of use for good, whether or not the frozen form of its half is there.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn freeze_signing_pair(
        &mut self,
        pair: &SharePairId,
        sealed: Option<&SealedShare>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE signing_pairs SET frozen = TRUE, \
                   sealed_share = COALESCE($2, sealed_share) WHERE id = $1";
        sqlx::query(sql)
            .bind(pair.as_str())
            .bind(sealed.map(SealedShare::encode))
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Destroys a set, with the service's halves.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn delete_signing_set(
        &mut self,
        client: &ClientId,
        device_key: &DevicePublicKey,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM signing_sets WHERE client_id = $1 AND device_key = $2";
        let done = sqlx::query(sql)
            .bind(client.as_str())
            .bind(device_key.as_bytes().as_slice())
            .execute(self.connection())
            .await?;
        self.destroyed(done.rows_affected());
        Ok(())
    }

    /// Destroys the pending sets that were made at `before` or earlier, and says how many.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn delete_pending_signing_sets(&mut self, before: u64) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM signing_sets WHERE NOT is_live AND created_at <= $1")
            .bind(columns::to_column(before))
            .execute(self.connection())
            .await?;
        Ok(self.destroyed(done.rows_affected()))
    }

    async fn insert_signing_pair(
        &mut self,
        device_key: &DevicePublicKey,
        SealedPair { pair, sealed }: &SealedPair,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO signing_pairs \
                   (id, device_key, curve, public_key, frozen, sealed_share) \
                   VALUES ($1, $2, $3, $4, FALSE, $5)";
        sqlx::query(sql)
            .bind(pair.id.as_str())
            .bind(device_key.as_bytes().as_slice())
            .bind(pair.curve().as_str())
            .bind(pair.public_key.as_bytes())
            .bind(sealed.encode())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

impl SigningRow {
    fn of(row: &SqliteRow, pairs: ByCurve<SigningPairRow>) -> Result<Self, StoreError> {
        let replaces: Option<Vec<u8>> = row.try_get("replaces")?;
        Ok(Self {
            device_key: columns::device_key(row.try_get("device_key")?)?,
            is_live: row.try_get("is_live")?,
            replaces: replaces.map(|key| columns::device_key(&key)).transpose()?,
            recovered_from: columns::parsed_option(row.try_get("recovered_from")?, "backup id")?,
            created_at: columns::from_column(row.try_get("created_at")?)?,
            pairs,
        })
    }
}

impl SigningPairRow {
    fn of(row: &SqliteRow) -> Result<Self, StoreError> {
        Ok(Self { pair: PairRow::of(row)?, frozen: row.try_get("frozen")? })
    }
}
