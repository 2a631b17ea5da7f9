//! The audit chain in the database.

use std::sync::{Mutex, PoisonError};

use backup_core::{EncryptionContext, SharePairId};
use sqlx::{Row, sqlite::SqliteRow};

use super::{Snapshot, StoreError, Write, columns};
use crate::audit::{Access, AuditHead, AuditRecord};

/// The end of the chain as this process has last written it. Another process may have written
/// since, and the database says so: whoever goes by this has it compared.
#[derive(Debug, Default)]
pub(super) struct LastNoted(Mutex<Option<AuditHead>>);

impl LastNoted {
    /// Takes note of what was committed, if anything was noted.
    pub(super) fn remember(&self, noted: Option<AuditHead>) {
        if noted.is_some() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = noted;
        }
    }

    #[cfg(feature = "enclave")]
    pub(super) fn head(&self) -> Option<AuditHead> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many records are read at once.
const PAGE: i64 = 1000;

impl Snapshot {
    /// The end of the chain.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn audit_head(&mut self) -> Result<AuditHead, StoreError> {
        let sql = "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1";
        let row = sqlx::query(sql).fetch_optional(self.connection()).await?;
        let Some(row) = row else { return Ok(AuditHead::default()) };
        let number = columns::from_column(row.try_get("number")?)?;
        Ok(AuditHead { number, hash: columns::hash(row.try_get("hash")?)? })
    }

    /// The next records after the one of this number, some of them; none at the end.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn audit_after(&mut self, number: u64) -> Result<Vec<AuditRecord>, StoreError> {
        let sql = "SELECT number, at, access, custodian_id, client_id, pair_id, hash FROM audit \
                   WHERE number > $1 ORDER BY number LIMIT $2";
        let query = sqlx::query(sql).bind(columns::to_column(number)).bind(PAGE);
        let rows = query.fetch_all(self.connection()).await?;
        rows.iter().map(AuditRecord::of).collect()
    }
}

impl Write {
    /// Notes what is about to be done with the halves of these pairs.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: then it must not be done.
    pub(crate) async fn note_access(
        &mut self,
        now: u64,
        access: Access,
        client: &EncryptionContext,
        pairs: &[SharePairId],
    ) -> Result<(), StoreError> {
        let pairs: Vec<_> = match pairs {
            [] => vec![""],
            named => named.iter().map(SharePairId::as_str).collect(),
        };
        self.note_accesses(now, access, pairs.into_iter().map(|pair| (client, pair))).await
    }

    /// The same for halves of several clients.
    ///
    /// # Errors
    ///
    /// As for [`note_access`](Self::note_access).
    pub(crate) async fn note_accesses<'a>(
        &mut self,
        now: u64,
        access: Access,
        halves: impl Iterator<Item = (&'a EncryptionContext, &'a str)>,
    ) -> Result<(), StoreError> {
        let mut head = self.audit_head().await?;
        for (client, pair) in halves {
            let record = AuditRecord::after(&head, now, access, client, pair.to_owned());
            self.insert_audit(&record).await?;
            head = record.head();
        }
        self.noted = Some(head);
        Ok(())
    }

    async fn insert_audit(&mut self, record: &AuditRecord) -> Result<(), StoreError> {
        let sql = "INSERT INTO audit (number, at, access, custodian_id, client_id, pair_id, hash) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        sqlx::query(sql)
            .bind(columns::to_column(record.number))
            .bind(columns::to_column(record.at))
            .bind(record.access.as_str())
            .bind(record.custodian.as_str())
            .bind(record.client.as_str())
            .bind(&record.pair)
            .bind(record.hash.as_slice())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

impl AuditRecord {
    fn of(row: &SqliteRow) -> Result<Self, StoreError> {
        let access = Access::of(row.try_get("access")?);
        Ok(Self {
            number: columns::from_column(row.try_get("number")?)?,
            at: columns::from_column(row.try_get("at")?)?,
            access: access.ok_or(StoreError::Damaged("access"))?,
            custodian: columns::parsed(row.try_get("custodian_id")?, "custodian id")?,
            client: columns::parsed(row.try_get("client_id")?, "client id")?,
            pair: row.try_get("pair_id")?,
            hash: columns::hash(row.try_get("hash")?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use backup_core::{ClientId, CustodianId};

    use super::*;
    use crate::store::tests::store;

    #[tokio::test]
    async fn records_follow_each_other_and_no_statement_changes_or_removes_one() {
        let (store, _folder) = store().await;
        let client = EncryptionContext::new(
            CustodianId::new("acme").unwrap(),
            ClientId::new("alice").unwrap(),
        );
        let pairs = ["one", "other"].map(|name| SharePairId::new(name).unwrap());
        for (now, pairs) in [(1, pairs.as_slice()), (2, &[])] {
            let mut write = store.write().await.unwrap();
            write.note_access(now, Access::Used, &client, pairs).await.unwrap();
            write.commit().await.unwrap();
        }
        let mut view = store.read().await.unwrap();
        let (records, mut head) = (view.audit_after(0).await.unwrap(), AuditHead::default());
        for record in &records {
            head = head.followed_by(record).unwrap();
        }
        assert_eq!(head, view.audit_head().await.unwrap());
        let said: Vec<_> = records.iter().map(|row| (row.at, row.pair.as_str())).collect();
        assert_eq!(said, [(1, "one"), (1, "other"), (2, "")]);
        assert_eq!(view.audit_after(2).await.unwrap(), records[2..]);
        drop(view);
        for sql in ["DELETE FROM audit WHERE number = 3", "UPDATE audit SET at = 3"] {
            let mut write = store.write().await.unwrap();
            let refused = sqlx::query(sql).execute(write.connection()).await.unwrap_err();
            assert!(refused.to_string().contains("audit record is never"), "{refused}");
        }
    }
}
