//! Keys of the enclave are under the operator's keys, all of them, and move with everything else.

use std::sync::Arc;

use backup_core::KeyEncryption;
use backup_testkit::{MemoryKey, passkey::SoftwareAuthenticator};
use portal_api::ErrorId;
use portal_keys::{KeyRing, SealedShare};
use portal_server::{Options, admin::Admin, audit::Access, store::Place};

use super::user::{KEY, User, with_enclave};
use crate::common::Service;

fn ring(active: &[&MemoryKey], retired: &[&MemoryKey]) -> KeyRing {
    let key = |key: &&MemoryKey| Arc::new((*key).clone()) as Arc<dyn KeyEncryption>;
    KeyRing::new(active.iter().map(key)).unwrap().with_retired(retired.iter().map(key)).unwrap()
}

fn under(keys: KeyRing) -> impl FnOnce(&mut Options) {
    move |options| {
        with_enclave(options);
        options.keys = Some(keys);
    }
}

/// The keys that each key of the enclave is wrapped under.
async fn wrapped_under(service: &Service) -> Vec<Vec<String>> {
    let mut view = service.running.service().store.read().await.unwrap();
    let rows = view.sealed(Place::EnclaveKeys, "", 10).await.unwrap();
    let ids = |sealed: &[u8]| {
        let sealed = SealedShare::decode(sealed).unwrap();
        sealed.key_ids().map(str::to_owned).collect()
    };
    rows.iter().map(|row| ids(&row.sealed)).collect()
}

#[tokio::test]
async fn a_key_is_under_every_active_key_and_moves_to_others_with_a_rewrap() {
    let (one, two, new) = (memory_key(), memory_key(), memory_key());
    let service = Service::start_with(under(ring(&[&one, &two], &[]))).await;
    let (user, phone) = (User::of(&service).await, SoftwareAuthenticator::new());
    user.register(&service, &phone, Some(KEY)).await;
    assert_eq!(wrapped_under(&service).await, [[one.key_id(), two.key_id()]]);

    let keys = ring(&[&new], &[&one, &two]);
    let service = service.restart_with(under(keys.clone())).await;
    assert_eq!(user.key(&service, &phone).await, KEY);
    let admin = Admin::open(service.folder.path()).await.unwrap();
    let verified = admin.verify_sealed(&keys, |_, _| ()).await.unwrap();
    assert_eq!((verified.total, verified.unopened.len()), (1, 0));
    let mut view = service.running.service().store.read().await.unwrap();
    let checked = view.audit_after(0).await.unwrap().pop().unwrap();
    assert_eq!(checked.access, Access::Checked);
    drop(view);
    let done = admin.rewrap(&keys, |_, _| ()).await.unwrap();
    assert_eq!((done.total, done.rewrapped, done.unopened.len()), (1, 1, 0));
    assert_eq!(done.forgotten.len(), 2);
    assert_eq!(wrapped_under(&service).await, [[new.key_id()]]);

    let service = service.restart_with(under(ring(&[&new], &[]))).await;
    assert_eq!(user.key(&service, &phone).await, KEY);
}

#[tokio::test]
async fn a_row_that_was_given_to_another_passkey_releases_nothing() {
    let key = memory_key();
    let service = Service::start_with(under(ring(&[&key], &[]))).await;
    let user = User::of(&service).await;
    let (phone, thief) = (SoftwareAuthenticator::new(), SoftwareAuthenticator::new());
    user.register(&service, &phone, Some(KEY)).await;
    user.register(&service, &thief, Some(&"ab".repeat(32))).await;
    // Whoever has the file puts what is sealed for the phone, which was the first, everywhere.
    let database = service.folder.path().join("portal.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let sql = "UPDATE enclave_keys SET sealed_key = \
               (SELECT sealed_key FROM enclave_keys ORDER BY rowid LIMIT 1)";
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    let answer = user.read(&service, &thief).await;
    answer.is_error(500, ErrorId::InternalError);
    assert!(!answer.text().contains(KEY));
    assert_eq!(user.key(&service, &phone).await, KEY);
}

fn memory_key() -> MemoryKey {
    MemoryKey::generate().unwrap()
}
