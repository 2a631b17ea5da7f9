//! The service's halves at rest: what opens them, and what does not.

use std::sync::Arc;

use backup_core::{
    ClientId, CustodianId, EncryptionContext, ErrorKind, KeyEncryption, SharePairId,
};
use backup_testkit::MemoryKey;
use portal_keys::KeyRing;
use portal_mpc::StoredShare;
use portal_server::custody::Custody;

use crate::common::protocol::{BackupPair, SigningPair, backup_pair, signing_pair};

fn key() -> Arc<dyn KeyEncryption> {
    Arc::new(MemoryKey::generate().unwrap())
}

fn custody(keys: &[&Arc<dyn KeyEncryption>]) -> Custody {
    Custody::new(KeyRing::new(keys.iter().copied().map(Arc::clone)).unwrap())
}

fn client(name: &str) -> EncryptionContext {
    EncryptionContext::new(CustodianId::new("acme").unwrap(), ClientId::new(name).unwrap())
}

fn id(name: &str) -> SharePairId {
    SharePairId::new(name).unwrap()
}

fn pairs() -> (SigningPair, BackupPair) {
    let signing = signing_pair("signing");
    let backup = backup_pair(&signing, "backup");
    (signing, backup)
}

#[tokio::test]
async fn a_half_opens_for_its_own_client_and_pair_only() {
    let (_, backup) = pairs();
    let custody = custody(&[&key()]);
    let alice = client("alice");
    let sealed = custody.seal_backup(&alice, &id("backup"), &backup.server).await.unwrap();
    let opened = custody.open_backup(&alice, &sealed).await.unwrap();
    assert_eq!(opened.to_bytes(), backup.server.to_bytes());
    let error = custody.open_backup(&client("bob"), &sealed).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    let mut other = sealed;
    other.pair.id = id("other");
    let error = custody.open_backup(&alice, &other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn a_half_that_is_sealed_as_another_pairs_is_damaged() {
    let (_, backup) = pairs();
    let custody = custody(&[&key()]);
    let alice = client("alice");
    let sealed = custody.seal_backup(&alice, &id("other"), &backup.server).await.unwrap();
    let error = custody.open_backup(&alice, &sealed).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
}

#[tokio::test]
async fn a_signing_half_is_no_backup_half() {
    let (signing, backup) = pairs();
    let custody = custody(&[&key()]);
    let alice = client("alice");
    let share = StoredShare::from_bytes(&signing.server.to_bytes()).unwrap();
    let signing = custody.seal_signing(&alice, &id("signing"), &share).await.unwrap();
    assert!(matches!(custody.open_signing(&alice, &signing).await, Ok(StoredShare::Live(_))));
    assert!(custody.open_backup(&alice, &signing).await.is_err());
    let backup = custody.seal_backup(&alice, &id("backup"), &backup.server).await.unwrap();
    assert!(custody.open_signing(&alice, &backup).await.is_err());
}

#[tokio::test]
async fn a_half_opens_by_any_of_its_keys_and_is_verified_by_all() {
    let (_, backup) = pairs();
    let (one, two) = (key(), key());
    let alice = client("alice");
    let both = custody(&[&one, &two]);
    let sealed = both.seal_backup(&alice, &id("backup"), &backup.server).await.unwrap();
    assert!(both.verify_backup(&alice, &sealed).await.is_ok());
    for key in [&one, &two] {
        let custody = custody(&[key]);
        assert!(custody.open_backup(&alice, &sealed).await.is_ok());
        let error = custody.verify_backup(&alice, &sealed).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
