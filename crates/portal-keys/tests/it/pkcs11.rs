//! PKCS#11 as a provider, against `SoftHSM`.

use std::{
    env, fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use backup_core::{DataKey, ErrorKind, KeyContext, KeyEncryption, secrecy::SecretString};
use backup_testkit::{KeyEncryptionFixture, SoftHsm};
use cryptoki::{
    context::Pkcs11, mechanism::Mechanism, object::Attribute, session::UserType, slot::Slot,
    types::AuthPin,
};
use futures_executor::block_on;
use portal_keys::{Pkcs11Key, Pkcs11Options};
use sha2::{Digest, Sha256};

use crate::vector::{self, TokenVector};

struct Token;

impl KeyEncryptionFixture for Token {
    type Provider = Pkcs11Key;

    fn new() -> Self {
        let golden = golden();
        let key = vector::unhex(&golden.key).try_into().unwrap();
        SoftHsm::enter_with(&["kek-1", "kek-2"], &[(&golden.object, key)]);
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

/// `docs/format.md`, section 7.
fn golden() -> TokenVector {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/token/wrap.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_wrap_that_was_ever_made_opens_under_its_key_in_another_token() {
    let _token = Token::new();
    let (golden, context) = (golden(), golden().wrap.context());
    assert_eq!(golden.token, SoftHsm::TOKEN);
    let key = key(&golden.object);
    assert_eq!(key.key_id(), golden.key_id);
    let wrapped = vector::unhex(&golden.wrap.wrapped);
    let opened = block_on(key.unwrap(&wrapped, &context)).unwrap();
    assert_eq!(vector::hex(opened.expose()), golden.wrap.data_key);
    for at in 0..wrapped.len() {
        let mut changed = wrapped.clone();
        changed[at] ^= 1;
        let error = block_on(key.unwrap(&changed, &context)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "byte {at}");
    }
    let error = block_on(key.unwrap(&wrapped, &context.with("more", "facts"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
}

#[test]
fn a_token_wraps_as_the_format_says_and_so_whoever_has_its_key_unwraps_without_it() {
    let golden = golden();
    let facts = [&["portal-backup/1 pkcs11 wrap", &*golden.key_id][..], &["pair", "p1"]].concat();
    let facts = facts.into_iter().chain(["role", "custodian"]).flat_map(|fact| {
        let length = u16::try_from(fact.len()).unwrap().to_be_bytes();
        [&length, fact.as_bytes()].concat()
    });
    let bound = Sha256::digest(facts.collect::<Vec<_>>());
    let wrapped = vector::unhex(&golden.wrap.wrapped);
    let (version, rest) = wrapped.split_first().unwrap();
    let (nonce, sealed) = rest.split_first_chunk::<12>().unwrap();
    assert_eq!(*version, 1);
    let cipher = Aes256Gcm::new_from_slice(&vector::unhex(&golden.key)).unwrap();
    let payload = Payload { msg: sealed, aad: &bound };
    let opened = cipher.decrypt(&(*nonce).into(), payload).unwrap();
    assert_eq!(vector::hex(&opened), golden.wrap.data_key);
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

/// The module reads its settings where it is initialized, and here somebody has yet to write them.
#[test]
fn a_token_that_hangs_is_given_up_in_time_and_asked_again_once_it_answers() {
    const WAITING: &str = "PORTAL_KEYS_TEST_SETTINGS";
    let Some(settings) = env::var_os(WAITING) else {
        let (hsm, folder) = (SoftHsm::with_keys(&["kek-1"]), tempfile::tempdir().unwrap());
        let (pipe, (name, settings)) = (folder.path().join("pipe"), hsm.variable());
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let mut again = Command::new(env::current_exe().unwrap());
        again.args(env::args_os().skip(1)).env(name, &pipe).env(WAITING, settings);
        assert!(again.status().unwrap().success());
        return;
    };
    let (key, data, context) = (key("kek-1"), DataKey::generate().unwrap(), KeyContext::new());
    for patience in [9, 1] {
        let begun = Instant::now();
        let error = block_on(key.wrap(&data, &context)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(begun.elapsed() < Duration::from_secs(patience), "{:?}", begun.elapsed());
    }
    let pipe = env::var_os("SOFTHSM2_CONF").unwrap();
    fs::write(pipe, fs::read(settings).unwrap()).unwrap();
    let begun = Instant::now();
    let wrapped = loop {
        match block_on(key.wrap(&data, &context)) {
            Ok(wrapped) => break wrapped,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(5), "{error}"),
        }
        thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(block_on(key.unwrap(&wrapped, &context)).unwrap().expose(), data.expose());
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
