//! A service that is restarted, locked or absent, and keychains that are not used at all.

use std::sync::Arc;

use backup_core::{ErrorKind, KeyPrefix, KeyStore, Operation, Purpose};
use backup_methods_keychain::{Keychain, KeychainProblem, keyring_core::mock};
use futures_executor::block_on;

use crate::support::{PASSWORD, Session, all_entries, context, entries, fresh, op};

#[test]
fn a_key_outlives_the_service_that_keeps_it() {
    let mut session = Session::new();
    let (context, keychain) = (context(), Keychain::system());
    let (name, key) = fresh(&context);
    block_on(keychain.put(&op(&context), &name, &key)).unwrap();
    session.start_again(PASSWORD);
    assert_eq!(block_on(keychain.get(&op(&context), &name)).unwrap(), key);
    let kept = std::fs::read_dir(session.home().join("data/keyrings")).unwrap().count();
    assert!(kept > 0, "the keyring is not where the test looks");
}

#[test]
fn a_service_that_is_absent_is_unavailable_whatever_is_asked() {
    let mut session = Session::new();
    let (context, keychain) = (context(), Keychain::system());
    let (name, key) = fresh(&context);
    block_on(keychain.put(&op(&context), &name, &key)).unwrap();
    session.stop();
    for error in every_call_fails(&keychain) {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("no keychain runs"), "{error}");
        assert_eq!(KeychainProblem::of(&error), Some(KeychainProblem::NoService));
    }
    session.start_again(PASSWORD);
    assert_eq!(block_on(keychain.get(&op(&context), &name)).unwrap(), key);
}

#[test]
fn a_locked_keychain_never_looks_empty() {
    let mut session = Session::new();
    let (context, keychain) = (context(), Keychain::system());
    let (name, key) = fresh(&context);
    block_on(keychain.put(&op(&context), &name, &key)).unwrap();
    session.start_again("not the login password");

    let op = op(&context);
    block_on(keychain.check(&op)).expect("the user will be asked to unlock it");
    let revoke = Operation::new(Purpose::Revoke, &context);
    let error = block_on(keychain.check(&revoke)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "nobody waits for a question");
    assert_eq!(KeychainProblem::of(&error), Some(KeychainProblem::Locked));
    let (other, _) = fresh(&context);
    let prefix = KeyPrefix::of(&context);
    // There is no screen: whatever the system asks is declined.
    for error in [
        block_on(keychain.get(&op, &name)).unwrap_err(),
        block_on(keychain.get(&op, &other)).unwrap_err(),
        block_on(keychain.put(&op, &other, &key)).unwrap_err(),
        block_on(keychain.delete(&op, &name)).unwrap_err(),
        block_on(keychain.delete(&op, &other)).unwrap_err(),
        block_on(keychain.list(&op, &prefix)).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
        assert_eq!(KeychainProblem::of(&error), Some(KeychainProblem::Declined));
    }
    session.start_again(PASSWORD);
    assert_eq!(block_on(keychain.get(&op, &name)).unwrap(), key);
    assert_eq!(entries(&context).len(), 1);
}

#[test]
fn labels_keep_keys_apart() {
    let _session = Session::new();
    let context = context();
    let (backups, devices) =
        (Keychain::system(), Keychain::system().with_label("Wallet device key").unwrap());
    let (name, key) = fresh(&context);
    block_on(devices.put(&op(&context), &name, &key)).unwrap();
    let prefix = KeyPrefix::of(&context);
    assert!(block_on(backups.list(&op(&context), &prefix)).unwrap().is_empty());
    block_on(backups.delete(&op(&context), &name)).unwrap();
    assert_eq!(block_on(devices.get(&op(&context), &name)).unwrap(), key);
}

#[test]
fn a_keychain_that_forgets_is_refused_before_anything_is_put_into_it() {
    let refused = Keychain::with_store(mock::Store::new().unwrap()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert!(refused.to_string().contains("forgets"), "{refused}");
    assert_eq!(KeychainProblem::of(&refused), Some(KeychainProblem::Forgets));
    let store: Arc<_> = linux_keyutils_keyring_store::Store::new().unwrap();
    let refused = Keychain::with_store(store).unwrap_err();
    assert!(refused.to_string().contains("when the device is restarted"), "{refused}");
}

#[test]
fn a_label_is_what_every_keychain_can_search_for() {
    for label in ["", " ", "a  b", "a.b", "(a)", "ü", &"a".repeat(65)] {
        let refused = Keychain::system().with_label(label).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{label}");
    }
    assert!(Keychain::system().with_label("Acme Wallet 2").is_ok());
}

#[test]
fn nothing_is_made_by_looking() {
    let _session = Session::new();
    let (context, keychain) = (context(), Keychain::system());
    let prefix = KeyPrefix::of(&context);
    let (name, _) = fresh(&context);
    block_on(keychain.check(&op(&context))).unwrap();
    block_on(keychain.get(&op(&context), &name)).unwrap_err();
    block_on(keychain.list(&op(&context), &prefix)).unwrap();
    assert_eq!(all_entries(), 0);
}

fn every_call_fails(keychain: &Keychain) -> [backup_core::Error; 5] {
    let context = context();
    let (name, key) = fresh(&context);
    let (op, prefix) = (op(&context), KeyPrefix::of(&context));
    [
        block_on(keychain.check(&op)).unwrap_err(),
        block_on(keychain.get(&op, &name)).unwrap_err(),
        block_on(keychain.put(&op, &name, &key)).unwrap_err(),
        block_on(keychain.delete(&op, &name)).unwrap_err(),
        block_on(keychain.list(&op, &prefix)).unwrap_err(),
    ]
}
