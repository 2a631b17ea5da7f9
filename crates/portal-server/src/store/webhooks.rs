//! Custodians that keep their halves themselves: where, how it stands with that, and which pairs
//! were posted.

use backup_core::{BackupId, ClientId, CustodianId, MethodId, SharePairId};
use portal_api::webhook::DeadPair;
use portal_keys::SealedShare;
use sqlx::{Row, sqlite::SqliteRow};

use super::{Snapshot, StoreError, Write, columns};

/// A custodian's webhook.
#[derive(Clone, Debug)]
pub struct WebhookRow {
    /// Its base URL.
    pub url: String,
    /// What the service proves itself by.
    pub sealed_secret: SealedShare,
    /// When it was registered.
    pub registered_at: u64,
    /// How it stands with it.
    pub health: Health,
}

/// How it stands with a webhook. Each time is right within [`Health::STEP`] seconds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Health {
    /// When it last did what it was asked for.
    pub succeeded_at: Option<u64>,
    /// When it last did not.
    pub failed_at: Option<u64>,
    /// What was wrong then.
    pub failure: Option<String>,
}

/// A completed pair whose half is with its custodian.
#[derive(Clone, Debug)]
pub struct CompletedPair {
    /// Its set.
    pub backup: BackupId,
    /// The pair.
    pub id: SharePairId,
    /// SHA-256 of what was posted.
    pub sha256: [u8; 32],
}

impl Health {
    /// What is as it was is noted once a minute at most.
    pub const STEP: u64 = 60;

    /// Whether an outcome is to be noted.
    #[must_use]
    pub fn is_news(&self, failure: Option<&str>, now: u64) -> bool {
        let is_recent = |at: Option<u64>| at.is_some_and(|at| now < at.saturating_add(Self::STEP));
        match failure {
            None => !is_recent(self.succeeded_at) || self.failed_at >= self.succeeded_at,
            Some(text) => {
                !is_recent(self.failed_at)
                    || self.failure.as_deref() != Some(text)
                    || self.succeeded_at > self.failed_at
            }
        }
    }
}

impl Snapshot {
    /// The webhook of a custodian, if it has one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn webhook(
        &mut self,
        custodian: &CustodianId,
    ) -> Result<Option<WebhookRow>, StoreError> {
        let sql = "SELECT url, sealed_secret, registered_at, succeeded_at, failed_at, failure \
                   FROM webhooks WHERE custodian_id = $1";
        let row =
            sqlx::query(sql).bind(custodian.as_str()).fetch_optional(self.connection()).await?;
        row.as_ref().map(WebhookRow::of).transpose()
    }

    /// Whether new halves of a client go to its custodian: it keeps everything itself, and has said
    /// where.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn posts_halves(&mut self, custodian: &CustodianId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM webhooks w JOIN custodians k ON k.id = w.custodian_id \
                   WHERE w.custodian_id = $1 AND NOT k.backup_with_portal";
        let row = sqlx::query(sql).bind(custodian.as_str());
        Ok(row.fetch_optional(self.connection()).await?.is_some())
    }

    /// The completed pairs of a client whose halves are with its custodian.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn completed_at_custodian(
        &mut self,
        client: &ClientId,
    ) -> Result<Vec<CompletedPair>, StoreError> {
        let sql = "SELECT p.backup_id, p.id, p.share_sha256 FROM backup_pairs p \
                   JOIN backup_sets s ON s.client_id = p.client_id AND s.id = p.backup_id \
                   WHERE p.client_id = $1 AND p.share_sha256 IS NOT NULL \
                   AND s.completed_at IS NOT NULL";
        let rows = sqlx::query(sql).bind(client.as_str()).fetch_all(self.connection()).await?;
        rows.iter().map(CompletedPair::of).collect()
    }

    /// Pairs of a custodian's clients that are of no use any more, the oldest first. What was
    /// posted after `before` may belong to a session that goes on.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn dead_pairs(
        &mut self,
        custodian: &CustodianId,
        before: u64,
        most: u32,
    ) -> Result<Vec<DeadPair>, StoreError> {
        let sql = "SELECT q.pair_id, q.client_id, q.method FROM posted_pairs q \
                   JOIN clients c ON c.id = q.client_id \
                   WHERE c.custodian_id = $1 AND q.posted_at <= $2 \
                   AND NOT EXISTS (SELECT 1 FROM backup_pairs p WHERE p.id = q.pair_id) \
                   ORDER BY q.posted_at, q.pair_id LIMIT $3";
        let rows = sqlx::query(sql)
            .bind(custodian.as_str())
            .bind(columns::to_column(before))
            .bind(most)
            .fetch_all(self.connection())
            .await?;
        rows.iter().map(dead_pair).collect()
    }

    /// Whose client this is.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn custodian_of(&mut self, client: &ClientId) -> Result<CustodianId, StoreError> {
        let sql = "SELECT custodian_id FROM clients WHERE id = $1";
        let row = sqlx::query(sql).bind(client.as_str()).fetch_one(self.connection()).await?;
        columns::parsed(row.try_get("custodian_id")?, "custodian id")
    }
}

impl Write {
    /// Notes where a custodian keeps its halves, in place of what was noted before.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn set_webhook(
        &mut self,
        custodian: &CustodianId,
        url: &str,
        sealed_secret: &SealedShare,
        now: u64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO webhooks \
                   (custodian_id, url, sealed_secret, registered_at, succeeded_at) \
                   VALUES ($1, $2, $3, $4, $4)";
        let done = sqlx::query(sql)
            .bind(custodian.as_str())
            .bind(url)
            .bind(sealed_secret.encode())
            .bind(columns::to_column(now))
            .execute(self.connection())
            .await?;
        self.destroyed(done.rows_affected());
        Ok(())
    }

    /// Notes how it stands with a webhook.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn note_webhook(
        &mut self,
        custodian: &CustodianId,
        failure: Option<&str>,
        now: u64,
    ) -> Result<(), StoreError> {
        let sql = match failure {
            None => "UPDATE webhooks SET succeeded_at = $2 WHERE custodian_id = $1",
            Some(_) => "UPDATE webhooks SET failed_at = $2, failure = $3 WHERE custodian_id = $1",
        };
        let query = sqlx::query(sql).bind(custodian.as_str()).bind(columns::to_column(now));
        let query = match failure {
            None => query,
            Some(text) => query.bind(text),
        };
        query.execute(self.connection()).await?;
        Ok(())
    }

    /// Notes that the half of a pair is about to be posted.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; also if it was before.
    pub async fn note_posted(
        &mut self,
        client: &ClientId,
        method: &MethodId,
        pair: &SharePairId,
        now: u64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO posted_pairs (pair_id, client_id, method, posted_at) \
                   VALUES ($1, $2, $3, $4)";
        sqlx::query(sql)
            .bind(pair.as_str())
            .bind(client.as_str())
            .bind(method.as_str())
            .bind(columns::to_column(now))
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Whether a pair of this custodian's clients is of use still, or may be.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn is_in_use(&mut self, pair: &SharePairId, before: u64) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM backup_pairs WHERE id = $1 \
                   UNION ALL SELECT 1 FROM posted_pairs WHERE pair_id = $1 AND posted_at > $2";
        let row = sqlx::query(sql).bind(pair.as_str()).bind(columns::to_column(before));
        Ok(row.fetch_optional(self.connection()).await?.is_some())
    }

    /// Forgets a pair that this custodian has erased.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn forget_posted(
        &mut self,
        custodian: &CustodianId,
        pair: &SharePairId,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM posted_pairs WHERE pair_id = $1 \
                   AND client_id IN (SELECT id FROM clients WHERE custodian_id = $2)";
        sqlx::query(sql)
            .bind(pair.as_str())
            .bind(custodian.as_str())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

impl WebhookRow {
    fn of(row: &SqliteRow) -> Result<Self, StoreError> {
        let sealed_secret = SealedShare::decode(row.try_get("sealed_secret")?);
        Ok(Self {
            url: row.try_get("url")?,
            sealed_secret: sealed_secret.map_err(|_| StoreError::Damaged("webhook's secret"))?,
            registered_at: columns::from_column(row.try_get("registered_at")?)?,
            health: Health {
                succeeded_at: columns::from_column_option(row.try_get("succeeded_at")?)?,
                failed_at: columns::from_column_option(row.try_get("failed_at")?)?,
                failure: row.try_get("failure")?,
            },
        })
    }
}

impl CompletedPair {
    fn of(row: &SqliteRow) -> Result<Self, StoreError> {
        Ok(Self {
            backup: columns::parsed(row.try_get("backup_id")?, "backup id")?,
            id: columns::parsed(row.try_get("id")?, "pair id")?,
            sha256: columns::hash(row.try_get("share_sha256")?)?,
        })
    }
}

fn dead_pair(row: &SqliteRow) -> Result<DeadPair, StoreError> {
    Ok(DeadPair {
        client_id: columns::parsed(row.try_get("client_id")?, "client id")?,
        backup_method: columns::parsed(row.try_get("method")?, "method id")?,
        backup_share_pair_id: columns::parsed(row.try_get("pair_id")?, "pair id")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_it_was_is_noted_once_a_minute_and_a_change_at_once() {
        let fine = Health { succeeded_at: Some(100), ..Health::default() };
        assert!(!fine.is_news(None, 159) && fine.is_news(None, 160));
        assert!(fine.is_news(Some("late"), 101));
        let failing =
            Health { succeeded_at: Some(100), failed_at: Some(120), failure: Some("late".into()) };
        assert!(failing.is_news(None, 121) && !failing.is_news(Some("late"), 121));
        assert!(failing.is_news(Some("gone"), 121) && failing.is_news(Some("late"), 180));
        assert!(Health::default().is_news(None, 0) && Health::default().is_news(Some("x"), 0));
    }
}
