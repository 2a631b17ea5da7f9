//! Every access to a custodian's half leaves a record, and nobody changes the records unseen.

use std::{path::Path, sync::Arc};

use backup_testkit::MemoryStore;
use portal_client::{ApiKey, BackUpOptions, EjectOptions, RecoverOptions, custodian};
use portal_server::{
    admin::{Admin, AdminError},
    audit::{Access, AuditHead, AuditRecord, BrokenChain},
};
use portal_tests::wallets::{TestService, memory_id, memory_method, on_runtime, unseen};
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};

async fn records(folder: &Path) -> Vec<AuditRecord> {
    let mut records = Vec::new();
    let each = |record: &AuditRecord| {
        records.push(record.clone());
        Ok(())
    };
    Admin::open(folder).await.unwrap().audit(None, each).await.unwrap();
    records
}

async fn verified(folder: &Path, known: Option<AuditHead>) -> Result<AuditHead, AdminError> {
    Admin::open(folder).await.unwrap().audit(known, |_| Ok(())).await
}

/// A wallet that was made and backed up.
async fn backed_up(service: &TestService) {
    let device = service.client().await.device();
    let app = device.portal(&service.url(), &memory_method(&MemoryStore::new()));
    app.create_wallet(&unseen).await.unwrap();
    app.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await.unwrap();
}

#[test]
fn a_half_is_noted_when_it_is_made_checked_used_and_released() {
    on_runtime(async {
        let service = TestService::start().await;
        let (client, method) = (service.client().await, memory_method(&MemoryStore::new()));
        let [first, second] = [(); 2].map(|()| client.device());
        let (first, second) =
            (first.portal(&service.url(), &method), second.portal(&service.url(), &method));
        first.create_wallet(&unseen).await.unwrap();
        assert_eq!(records(service.folder()).await, [], "a signing pair has no such half");
        first.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await.unwrap();
        let recovered = second.recover(&memory_id(), &RecoverOptions::default(), &unseen).await;
        recovered.unwrap();
        let key = std::fs::read_to_string(service.folder().join("custodian.key")).unwrap();
        let (key, id) = (ApiKey::new(key.trim()).unwrap(), &client.context.client);
        custodian::enable_eject(&service.url(), &key, id, None, None).await.unwrap();
        second.eject(&memory_id(), &EjectOptions::default(), &unseen).await.unwrap();

        let records = records(service.folder()).await;
        let mut said: Vec<_> = records.iter().map(|record| record.access).collect();
        said.dedup();
        assert_eq!(said, [Access::Made, Access::Checked, Access::Used, Access::Released]);
        assert!(records.iter().all(|record| record.client == *id && !record.pair.is_empty()));
        assert!(records.iter().all(|record| record.pair == records[0].pair), "{records:?}");
    });
}

#[test]
fn a_record_that_was_changed_removed_or_added_is_seen_and_an_end_that_is_known_too() {
    on_runtime(async {
        let mut service = TestService::start().await;
        backed_up(&service).await;
        let known = verified(service.folder(), None).await.unwrap();
        backed_up(&service).await;
        let end = verified(service.folder(), Some(known)).await.unwrap();
        assert_eq!((known.number, end.number), (2, 4));
        service.stop().await;
        let database = service.folder().join("portal.db");
        let whole = std::fs::read(&database).unwrap();
        for (sql, broken) in [
            ("UPDATE audit SET at = at + 1 WHERE number = 2", BrokenChain::At(2)),
            ("UPDATE audit SET client_id = 'bob' WHERE number = 4", BrokenChain::At(4)),
            ("DELETE FROM audit WHERE number = 1", BrokenChain::At(2)),
            ("DELETE FROM audit WHERE number = 3", BrokenChain::At(4)),
            ("DELETE FROM audit WHERE number > 2", BrokenChain::Short(2)),
            (
                "INSERT INTO audit SELECT 5, at, access, custodian_id, client_id, pair_id, hash \
                 FROM audit WHERE number = 4",
                BrokenChain::At(5),
            ),
        ] {
            std::fs::write(&database, &whole).unwrap();
            change(&database, sql).await;
            let error = verified(service.folder(), Some(end)).await.unwrap_err();
            let AdminError::Audit(found) = error else { panic!("{sql}: {error}") };
            assert_eq!(found, broken, "{sql}");
        }
        std::fs::write(&database, &whole).unwrap();
        let other = AuditHead { hash: end.hash, ..known };
        let error = verified(service.folder(), Some(other)).await.unwrap_err();
        assert!(matches!(error, AdminError::Audit(BrokenChain::At(2))), "{error}");
    });
}

#[test]
fn what_cannot_be_noted_is_not_done() {
    on_runtime(async {
        let service = TestService::start().await;
        let (client, store) = (service.client().await, MemoryStore::new());
        let (device, new) = (client.device(), client.device());
        let method = memory_method(&store);
        let app = device.portal(&service.url(), &method);
        app.create_wallet(&unseen).await.unwrap();
        app.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await.unwrap();
        let database = service.folder().join("portal.db");
        let full = "CREATE TRIGGER full BEFORE INSERT ON audit \
                    BEGIN SELECT RAISE(ABORT, 'full'); END";
        change(&database, full).await;
        let lost = new.portal(&service.url(), &Arc::clone(&method));
        lost.recover(&memory_id(), &RecoverOptions::default(), &unseen).await.unwrap_err();
        change(&database, "DROP TRIGGER full").await;
        lost.recover(&memory_id(), &RecoverOptions::default(), &unseen).await.unwrap();
    });
}

/// As whoever has the file can, who is kept from nothing.
async fn change(database: &Path, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(database);
    let mut connection: SqliteConnection = options.connect().await.unwrap();
    for trigger in ["audit_records_stay", "audit_records_do_not_change"] {
        let drop = sqlx::AssertSqlSafe(format!("DROP TRIGGER IF EXISTS {trigger}"));
        sqlx::query(drop).execute(&mut connection).await.unwrap();
    }
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
}
