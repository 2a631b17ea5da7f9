//! Backup sets.

use backup_core::{BackupId, ClientId, EncryptionContext, MethodId, SharePairId};
use portal_api::{Completion, DevicePublicKey, compat::BackupStage};
use portal_mpc::{ByCurve, OnCurve};
use sqlx::{AssertSqlSafe, Row, sqlite::SqliteRow};

use super::{
    CustodianHalf, EnvelopeSlot, PairRow, Snapshot, StoreError, Write, columns, pairs::by_curve,
};
use crate::{
    lifecycle::{BackupSet, SetState},
    metrics::Fate,
};

/// A backup set.
#[derive(Clone, Debug)]
pub struct BackupRow {
    /// What its life depends on.
    pub set: BackupSet,
    /// When it was made.
    pub created_at: u64,
    /// When it was completed.
    pub completed_at: Option<u64>,
    /// The key of the device that made it.
    pub device_key: DevicePublicKey,
    /// SHA-256 of its envelope, once that is stored.
    pub envelope_sha256: Option<[u8; 32]>,
    /// Its pairs.
    pub pairs: ByCurve<PairRow>,
    /// How far each of them has come by the word of its app.
    pub stages: Vec<(SharePairId, BackupStage)>,
}

/// A pending backup set to be stored.
#[derive(Debug)]
pub struct NewBackupSet {
    /// The id that the device gave it.
    pub id: BackupId,
    /// The method that will open it.
    pub method: MethodId,
    /// What will complete it.
    pub completion: Completion,
    /// The key of the device that makes it.
    pub device_key: DevicePublicKey,
    /// Its pairs, with the custodian's halves.
    pub pairs: ByCurve<CustodianHalf>,
}

/// The sets, with a row for each of their pairs.
const SELECT_SETS: &str = "SELECT s.id AS set_id, method, completion, s.device_key, s.created_at, \
     envelope_sha256, enrollment, sequence, completed_at, proved_since, \
     p.id, curve, public_key, stage \
     FROM backup_sets AS s \
     LEFT JOIN backup_pairs AS p ON p.client_id = s.client_id AND p.backup_id = s.id";

/// The sets as the rules of their lives see them.
#[must_use]
pub fn lifecycle_sets(rows: &[BackupRow]) -> Vec<BackupSet> {
    rows.iter().map(|row| row.set.clone()).collect()
}

impl Snapshot {
    /// All backup sets of a client, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn backups(&mut self, client: &ClientId) -> Result<Vec<BackupRow>, StoreError> {
        let sql = format!("{SELECT_SETS} WHERE s.client_id = $1 ORDER BY number DESC");
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(client.as_str());
        let rows = rows.fetch_all(self.connection()).await?;
        let of_one_set = |a: &SqliteRow, b: &SqliteRow| {
            a.try_get::<&str, _>("set_id").ok() == b.try_get("set_id").ok()
        };
        rows.chunk_by(of_one_set).map(BackupRow::of).collect()
    }

    /// The custodian's halves of a set; `None` if there is no such set.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn custodian_halves(
        &mut self,
        client: &ClientId,
        backup: &BackupId,
    ) -> Result<Option<ByCurve<CustodianHalf>>, StoreError> {
        let sql = "SELECT id, curve, public_key, sealed_share, share_sha256 FROM backup_pairs \
                   WHERE client_id = $1 AND backup_id = $2";
        let rows = sqlx::query(sql)
            .bind(client.as_str())
            .bind(backup.as_str())
            .fetch_all(self.connection())
            .await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let pairs = rows.iter().map(CustodianHalf::of).collect::<Result<Vec<_>, _>>()?;
        by_curve(pairs).map(Some)
    }

    /// The clients of whom a set may have to go: with a pending one made at `before` or earlier, or
    /// with several completed ones of one method.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn clients_to_tend(&mut self, before: u64) -> Result<Vec<ClientId>, StoreError> {
        let sql = "SELECT client_id FROM backup_sets \
                   WHERE completed_at IS NULL AND created_at <= $1 \
                   UNION SELECT client_id FROM backup_sets WHERE completed_at IS NOT NULL \
                   GROUP BY client_id, method HAVING COUNT(*) > 1";
        let rows =
            sqlx::query(sql).bind(columns::to_column(before)).fetch_all(self.connection()).await?;
        rows.iter().map(|row| columns::parsed(row.try_get("client_id")?, "client id")).collect()
    }
}

impl Write {
    /// Stores a set, which is pending. The one that it displaces has to be deleted before.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; also if a set or a pair has one of its names.
    pub async fn insert_backup(
        &mut self,
        context: &EncryptionContext,
        set: &NewBackupSet,
        now: u64,
    ) -> Result<(), StoreError> {
        let client = &context.client;
        let number = self.next_number(client).await?;
        let sql = "INSERT INTO backup_sets \
                   (client_id, id, number, method, completion, device_key, created_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        sqlx::query(sql)
            .bind(client.as_str())
            .bind(set.id.as_str())
            .bind(number)
            .bind(set.method.as_str())
            .bind(columns::from_completion(set.completion))
            .bind(set.device_key.as_bytes().as_slice())
            .bind(columns::to_column(now))
            .execute(self.connection())
            .await?;
        for (_, pair) in set.pairs.iter() {
            self.insert_backup_pair(client, &set.id, pair).await?;
        }
        self.made.push((context.clone(), EnvelopeSlot::of_new(set, number)));
        Ok(())
    }

    /// Completes a pending set.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn complete_backup(
        &mut self,
        client: &ClientId,
        backup: &BackupId,
        proved: bool,
        now: u64,
    ) -> Result<(), StoreError> {
        let sequence = self.next_number(client).await?;
        let now = columns::to_column(now);
        let sql = "UPDATE backup_sets SET sequence = $3, completed_at = $4, proved_since = $5 \
                   WHERE client_id = $1 AND id = $2 AND completed_at IS NULL";
        let done = sqlx::query(sql)
            .bind(client.as_str())
            .bind(backup.as_str())
            .bind(sequence)
            .bind(now)
            .bind(proved.then_some(now))
            .execute(self.connection())
            .await?;
        if done.rows_affected() > 0 {
            self.count(Fate::Completed);
        }
        Ok(())
    }

    /// Notes that a completed set has been seen to work; since when it was first seen stays.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn prove_backup(
        &mut self,
        client: &ClientId,
        backup: &BackupId,
        now: u64,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE backup_sets SET proved_since = $3 WHERE client_id = $1 AND id = $2 \
                   AND completed_at IS NOT NULL AND proved_since IS NULL";
        sqlx::query(sql)
            .bind(client.as_str())
            .bind(backup.as_str())
            .bind(columns::to_column(now))
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Destroys a set, with its envelope and the custodian's halves.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn delete_backup(
        &mut self,
        client: &ClientId,
        backup: &BackupId,
    ) -> Result<(), StoreError> {
        let done = sqlx::query("DELETE FROM backup_sets WHERE client_id = $1 AND id = $2")
            .bind(client.as_str())
            .bind(backup.as_str())
            .execute(self.connection())
            .await?;
        self.destroyed(done.rows_affected());
        Ok(())
    }

    async fn insert_backup_pair(
        &mut self,
        client: &ClientId,
        backup: &BackupId,
        half: &CustodianHalf,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO backup_pairs \
                   (id, client_id, backup_id, curve, public_key, sealed_share, share_sha256) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let pair = half.pair();
        let (sealed, sha256) = match half {
            CustodianHalf::Sealed(sealed) => (Some(sealed.sealed.encode()), None),
            CustodianHalf::Posted(posted) => (None, Some(posted.sha256.to_vec())),
        };
        sqlx::query(sql)
            .bind(pair.id.as_str())
            .bind(client.as_str())
            .bind(backup.as_str())
            .bind(pair.curve().as_str())
            .bind(pair.public_key.as_bytes())
            .bind(sealed)
            .bind(sha256)
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

impl BackupRow {
    /// Of the rows of one set, of which there is at least one.
    fn of(rows: &[SqliteRow]) -> Result<Self, StoreError> {
        let row = rows.first().ok_or(StoreError::Damaged("backup set"))?;
        let pairs = by_curve(rows.iter().map(PairRow::of).collect::<Result<Vec<_>, _>>()?)?;
        let created_at = columns::from_column(row.try_get("created_at")?)?;
        let set = BackupSet {
            id: columns::parsed(row.try_get("set_id")?, "backup id")?,
            method: columns::parsed(row.try_get("method")?, "method id")?,
            wallets: pairs.iter().map(|(curve, _)| curve).collect(),
            completion: columns::completion(row.try_get("completion")?)?,
            enrollment: columns::hash_option(row.try_get("enrollment")?)?,
            state: state(row, created_at)?,
        };
        Ok(Self {
            set,
            created_at,
            completed_at: columns::from_column_option(row.try_get("completed_at")?)?,
            device_key: columns::device_key(row.try_get("device_key")?)?,
            envelope_sha256: columns::hash_option(row.try_get("envelope_sha256")?)?,
            pairs,
            stages: rows.iter().map(stage).collect::<Result<_, _>>()?,
        })
    }
}

fn stage(row: &SqliteRow) -> Result<(SharePairId, BackupStage), StoreError> {
    Ok((columns::parsed(row.try_get("id")?, "pair id")?, columns::stage(row.try_get("stage")?)?))
}

fn state(row: &SqliteRow, created_at: u64) -> Result<SetState, StoreError> {
    let sequence = columns::from_column_option(row.try_get("sequence")?)?;
    let proved_since = columns::from_column_option(row.try_get("proved_since")?)?;
    Ok(match sequence {
        Some(sequence) => SetState::Completed { sequence, proved_since },
        None => SetState::Pending { since: created_at },
    })
}
