//! A session whose bus lets nobody call the keychain, as a sandbox does.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use backup_core::{
    ClientId, CustodianId, EncryptionContext, ErrorKind, KeyStore, Operation, Purpose,
};
use backup_methods_keychain::{Keychain, KeychainProblem};
use backup_testkit::SessionBus;

#[test]
fn a_keychain_that_may_not_be_called_says_so() {
    let bus = SessionBus::enter_denying();
    let home = tempfile::tempdir().unwrap();
    let _keyring = bus.keyring(home.path(), "password");
    let context =
        EncryptionContext::new(CustodianId::new("a").unwrap(), ClientId::new("b").unwrap());
    let op = Operation::new(Purpose::Unlock, &context);
    let error = futures_executor::block_on(Keychain::system().check(&op)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("not allowed"), "{error}");
    assert_eq!(KeychainProblem::of(&error), Some(KeychainProblem::Denied));
}
