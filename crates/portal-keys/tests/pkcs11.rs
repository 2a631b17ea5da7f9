//! PKCS#11 as a provider, against `SoftHSM`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use backup_core::{DataKey, ErrorKind, KeyContext, KeyEncryption, secrecy::SecretString};
use backup_testkit::{KeyEncryptionFixture, SoftHsm};
use cryptoki::{
    context::Pkcs11, mechanism::Mechanism, object::Attribute, session::UserType, slot::Slot,
    types::AuthPin,
};
use futures_executor::block_on;
use portal_keys::{Pkcs11Key, Pkcs11Options};

struct Token;

impl KeyEncryptionFixture for Token {
    type Provider = Pkcs11Key;

    fn new() -> Self {
        SoftHsm::enter(&["kek-1", "kek-2"]);
        Self
    }

    fn provider(&self) -> Pkcs11Key {
        key("kek-1")
    }

    fn with_another_key(&self) -> Pkcs11Key {
        key("kek-2")
    }

    fn with_back_end_away(&self) -> Option<Pkcs11Key> {
        Some(Pkcs11Key::new(Pkcs11Options { token: "unplugged".into(), ..options() }).unwrap())
    }
}

mod conformance {
    backup_testkit::key_encryption_conformance!(super::Token);
}

fn options() -> Pkcs11Options {
    Pkcs11Options {
        module: SoftHsm::MODULE.into(),
        token: SoftHsm::TOKEN.into(),
        key: "kek-1".into(),
        pin: SecretString::from(SoftHsm::PIN),
    }
}

fn key(label: &str) -> Pkcs11Key {
    Pkcs11Key::new(Pkcs11Options { key: label.into(), ..options() }).unwrap()
}

fn refusal(options: Pkcs11Options) -> backup_core::Error {
    let key = Pkcs11Key::new(options).unwrap();
    block_on(key.wrap(&DataKey::generate().unwrap(), &KeyContext::new())).unwrap_err()
}

/// The module as another part of the program has it.
fn module() -> (Pkcs11, Slot) {
    let module = Pkcs11::new(Path::new(SoftHsm::MODULE)).unwrap();
    let slots = module.get_slots_with_initialized_token().unwrap();
    (module, slots[0])
}

#[test]
fn a_token_that_was_pulled_and_plugged_in_again_is_asked_anew() {
    let token = Token::new();
    let (key, data, context) = (token.provider(), DataKey::generate().unwrap(), KeyContext::new());
    let wrapped = block_on(key.wrap(&data, &context)).unwrap();
    for _ in 0..2 {
        module().0.finalize().unwrap();
        assert_eq!(block_on(key.unwrap(&wrapped, &context)).unwrap().expose(), data.expose());
        module().0.finalize().unwrap();
        block_on(key.wrap(&data, &context)).unwrap();
    }
}

#[test]
fn a_pin_that_was_refused_is_not_given_again() {
    let _token = Token::new();
    let pin = SecretString::from("not the pin");
    let key = Pkcs11Key::new(Pkcs11Options { pin, ..options() }).unwrap();
    let data = DataKey::generate().unwrap();
    for _ in 0..20 {
        let error = block_on(key.wrap(&data, &KeyContext::new())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert!(!format!("{error} {error:?}").contains("not the pin"));
    }
    let (module, slot) = module();
    let info = module.get_token_info(slot).unwrap();
    assert!(info.user_pin_count_low(), "the wrong PIN never reached the token");
    // Another program that has the right one uses the token.
    block_on(self::key("kek-1").wrap(&data, &KeyContext::new())).unwrap();
    let error = block_on(key.wrap(&data, &KeyContext::new())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
}

#[test]
fn a_key_that_is_not_in_the_token_is_not_found() {
    let _token = Token::new();
    let error = refusal(Pkcs11Options { key: "kek-3".into(), ..options() });
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_module_that_is_not_there_is_not_found() {
    let error = refusal(Pkcs11Options { module: "/nowhere.so".into(), ..options() });
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_key_that_could_be_read_out_of_the_token_is_refused() {
    let token = Token::new();
    // The session of this one is what the module keeps being logged in by.
    let other = token.provider();
    block_on(other.wrap(&DataKey::generate().unwrap(), &KeyContext::new())).unwrap();
    let (module, slot) = module();
    let session = module.open_rw_session(slot).unwrap();
    let _ = session.login(UserType::User, Some(&AuthPin::from(SoftHsm::PIN)));
    for (label, sensitive, extractable, len) in [
        ("readable", false, false, 32),
        ("extractable", true, true, 32),
        ("short", true, false, 16),
    ] {
        let template = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(sensitive),
            Attribute::Extractable(extractable),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::ValueLen(len.into()),
            Attribute::Label(label.into()),
        ];
        session.generate_key(&Mechanism::AesKeyGen, &template).unwrap();
        let error = refusal(Pkcs11Options { key: label.into(), ..options() });
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{label}: {error}");
    }
}
