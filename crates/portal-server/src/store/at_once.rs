//! A client's record in the enclave and its note in the audit chain, by one trip to the database.

use std::sync::Arc;

use backup_methods_passkey::enclave::Commit;
use sqlx::Row;
use tokio::sync::OwnedMutexGuard;

use super::{Store, StoreError, columns, enclave};
use crate::{
    audit::{AuditHead, AuditRecord},
    to_the_end::ToTheEnd,
};

/// A release of a key waits for it, and each statement of a transaction would be a trip of its own.
/// It holds its own conditions: the record and the chain are as they were seen, or nothing changes.
const CHANGE: &str = "BEGIN IMMEDIATE; \
     UPDATE enclave_clients SET version = $3, record = $4 WHERE client_id = $1 AND version = $2 \
     AND (SELECT hash FROM audit ORDER BY number DESC LIMIT 1) = $5; \
     INSERT INTO audit (number, at, access, custodian_id, client_id, pair_id, hash) \
     SELECT $6, $7, $8, $9, $1, $10, $11 WHERE changes() = 1; \
     COMMIT; \
     SELECT changes() AS noted";

/// A new record of a client, and what is noted of it.
struct Change {
    version: i64,
    record: Vec<u8>,
    head: AuditHead,
    audit: AuditRecord,
}

impl Store {
    /// Commits what changes nothing but the client's record, unless another has written since this
    /// process last did. Whether it is done; if not, nothing has changed.
    pub(super) async fn commit_at_once(&self, commit: &Commit<'_>) -> Result<bool, StoreError> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let Some(head) = self.last_noted.head() else { return Ok(false) };
        let access = enclave::access(commit.audit);
        let subject = enclave::subject(commit.audit);
        let audit = AuditRecord::after(&head, commit.audit.at, access, commit.client, subject);
        let version = columns::to_column(commit.version);
        let change = Change { version, record: commit.record.to_vec(), head, audit };
        // Broken off between its statements, it would leave the transaction open.
        ToTheEnd::new(self.clone().change(change, turn)).await
    }

    async fn change(self, change: Change, _turn: OwnedMutexGuard<()>) -> Result<bool, StoreError> {
        let noted = change.audit.head();
        let is_done = self.durably(self.change_at_once(change)).await?;
        self.last_noted.remember(is_done.then_some(noted));
        Ok(is_done)
    }

    async fn change_at_once(&self, change: Change) -> Result<bool, sqlx::Error> {
        let Change { version, record, head, audit } = change;
        let mut connection = self.writer.acquire().await?;
        let done = sqlx::query(CHANGE)
            .bind(audit.client.as_str())
            .bind(version)
            .bind(version + 1)
            .bind(record)
            .bind(head.hash.as_slice())
            .bind(columns::to_column(audit.number))
            .bind(columns::to_column(audit.at))
            .bind(audit.access.as_str())
            .bind(audit.custodian.as_str())
            .bind(&audit.pair)
            .bind(audit.hash.as_slice())
            .fetch_all(&mut *connection)
            .await;
        match done {
            Ok(rows) => {
                let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
                Ok(row.try_get::<i64, _>("noted")? == 1)
            }
            Err(error) => {
                // What is left open ends with the connection, whatever that says.
                drop(connection.close().await);
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use backup_core::{ClientId, CustodianId, EncryptionContext};

    use super::*;
    use crate::{
        api_key::{ApiKey, Audience},
        audit::Access,
        effects::Nobody,
        store::{
            Write,
            tests::{add_custodian, store},
        },
    };

    fn alice() -> EncryptionContext {
        let custodian = CustodianId::new("acme").unwrap();
        EncryptionContext::new(custodian, ClientId::new("alice").unwrap())
    }

    async fn add_alice(store: &Store) {
        let mut write = store.write().await.unwrap();
        add_custodian(&mut write, "acme").await;
        let key = ApiKey::generate(Audience::Client).unwrap();
        write.insert_client(&alice(), &key.hash(), false, 1).await.unwrap();
        let sql =
            "INSERT INTO enclave_clients (client_id, version, record) VALUES ('alice', 1, '')";
        sqlx::query(sql).execute(write.connection()).await.unwrap();
        note(&mut write).await;
        write.commit().await.unwrap();
    }

    async fn note(write: &mut Write) {
        write.note_access(1, Access::Enclave, &alice(), &[]).await.unwrap();
    }

    /// Changes the record, if it has this version.
    async fn changed(store: &Store, version: i64) -> Result<bool, StoreError> {
        let turn = Arc::clone(&store.turn).lock_owned().await;
        let head = store.last_noted.head().unwrap();
        let audit = AuditRecord::after(&head, 2, Access::KeyReleased, &alice(), "key".to_owned());
        store.clone().change(Change { version, record: b"new".to_vec(), head, audit }, turn).await
    }

    /// The record's version, and the end of the chain, which holds.
    async fn seen(store: &Store) -> (i64, AuditHead) {
        let mut view = store.read().await.unwrap();
        let mut head = AuditHead::default();
        for record in view.audit_after(0).await.unwrap() {
            head = head.followed_by(&record).unwrap();
        }
        let sql = "SELECT version FROM enclave_clients";
        (sqlx::query_scalar(sql).fetch_one(view.connection()).await.unwrap(), head)
    }

    #[tokio::test]
    async fn a_record_changes_with_its_note_or_not_at_all() {
        let (store, _folder) = store().await;
        add_alice(&store).await;
        assert!(changed(&store, 1).await.unwrap());
        let after = seen(&store).await;
        assert_eq!((after.0, after.1.number), (2, 2));
        assert!(!changed(&store, 1).await.unwrap(), "it has another version");
        assert_eq!(seen(&store).await, after);
        assert!(changed(&store, 2).await.unwrap());
        let (version, head) = seen(&store).await;
        assert_eq!((version, head.number), (3, 3));
        assert_eq!(store.last_noted.head(), Some(head));
    }

    #[tokio::test]
    async fn nothing_changes_if_another_process_has_noted_something() {
        let (store, folder) = store().await;
        add_alice(&store).await;
        let path = folder.path().join("portal.db");
        let other = Store::open_as_it_is(&path, Arc::new(Nobody)).await.unwrap();
        let mut write = other.write().await.unwrap();
        note(&mut write).await;
        write.commit().await.unwrap();
        let before = seen(&store).await;
        assert!(!changed(&store, 1).await.unwrap());
        assert_eq!(seen(&store).await, before);
    }

    #[tokio::test]
    async fn what_fails_halfway_leaves_nothing_open_or_changed() {
        let (store, _folder) = store().await;
        add_alice(&store).await;
        let before = seen(&store).await;
        let full = "CREATE TRIGGER full BEFORE INSERT ON audit WHEN NEW.pair_id = 'key' \
                    BEGIN SELECT RAISE(ABORT, 'full'); END";
        sqlx::query(full).execute(&store.writer).await.unwrap();
        changed(&store, 1).await.unwrap_err();
        assert_eq!(seen(&store).await, before);
        let mut write = store.write().await.unwrap();
        note(&mut write).await;
        write.commit().await.unwrap();
        sqlx::query("DROP TRIGGER full").execute(&store.writer).await.unwrap();
        assert!(changed(&store, 1).await.unwrap());
    }
}
