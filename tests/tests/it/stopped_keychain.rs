//! Backups in a real keychain that stop on the way: at any effect of the device, and at any of the
//! keychain's own.

#![cfg(target_os = "linux")]

use std::sync::Arc;

use backup_core::KeyStore;
use backup_methods_keychain::Keychain;
use backup_testkit::SessionBus;
use portal_tests::{
    stopped::{fails_at_every_call, stops_at_every_effect},
    wallets::{TestService, on_runtime},
};

const PASSWORD: &str = "the login password";

#[test]
fn a_backup_in_the_keychain_that_was_stopped_recovers_or_has_left_nothing() {
    let bus = SessionBus::enter();
    let home = tempfile::tempdir().unwrap();
    let _keyring = bus.keyring(home.path(), PASSWORD);
    on_runtime(async { stops_at_every_effect(&TestService::start().await, &keychain).await });
}

#[test]
fn a_backup_whose_keychain_failed_recovers_or_has_left_nothing() {
    let bus = SessionBus::enter();
    let home = tempfile::tempdir().unwrap();
    let _keyring = bus.keyring(home.path(), PASSWORD);
    on_runtime(async { fails_at_every_call(&TestService::start().await, &keychain).await });
}

fn keychain() -> Arc<dyn KeyStore> {
    Arc::new(Keychain::system())
}
