//! What the audit says of the enclave, and that nothing is done that it cannot say.

use backup_testkit::passkey::SoftwareAuthenticator;
use portal_api::{ErrorId, route::Route};
use portal_server::audit::{Access, AuditHead, AuditRecord};
use serde_json::json;
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};

use super::user::{KEY, User, start};
use crate::common::Service;

/// All records, which follow each other.
async fn records(service: &Service) -> Vec<AuditRecord> {
    let mut view = service.running.service().store.read().await.unwrap();
    let records = view.audit_after(0).await.unwrap();
    let end =
        records.iter().try_fold(AuditHead::default(), |head, record| head.followed_by(record));
    assert_eq!(end.unwrap(), view.audit_head().await.unwrap());
    records
}

#[tokio::test]
async fn every_release_and_every_refusal_is_one_record_of_the_chain() {
    let service = start().await;
    let (user, phone) = (User::of(&service).await, SoftwareAuthenticator::new());
    let passkey = user.register(&service, &phone, Some(KEY)).await;
    let before = records(&service).await.len();
    user.key(&service, &phone).await;
    let begun = user.begin(&service).await;
    let foreign = phone.get("https://evil.example.com", &begun.options).unwrap();
    user.end(&service, Route::ReadKey, (&begun, foreign), json!({})).await;
    user.post(&service, Route::WriteKey, &json!({})).await.is_error(400, ErrorId::BadRequest);
    let records = records(&service).await;
    let said: Vec<_> = records[before..].iter().map(|record| record.access).collect();
    let expected = [
        Access::Enclave,
        Access::KeyReleased,
        Access::Enclave,
        Access::EnclaveRefused,
        Access::EnclaveRefused,
    ];
    assert_eq!(said, expected);
    let released = &records[before + 1].pair;
    assert!(released.starts_with("read key=key-"), "{released}");
    assert!(released.ends_with(&format!(" passkey={passkey}")), "{released}");
    assert_eq!(records[before + 3].pair, "read not-verified");
    assert_eq!(records[before + 4].pair, "write malformed");
}

#[tokio::test]
async fn what_cannot_be_noted_is_not_answered() {
    let service = start().await;
    let (user, phone) = (User::of(&service).await, SoftwareAuthenticator::new());
    user.register(&service, &phone, Some(KEY)).await;
    let begun = user.begin(&service).await;
    let full = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END";
    change(&service, full).await;
    let read = || user.end(&service, Route::ReadKey, (&begun, begun.assert(&phone)), json!({}));
    let answer = read().await;
    answer.is_error(500, ErrorId::InternalError);
    assert!(!answer.text().contains(KEY));
    change(&service, "DROP TRIGGER full").await;
    assert!(read().await.status.is_success(), "the ceremony was not used up either");
}

async fn change(service: &Service, sql: &'static str) {
    let database = SqliteConnectOptions::new().filename(service.folder.path().join("portal.db"));
    let mut connection = database.connect().await.unwrap();
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
}
