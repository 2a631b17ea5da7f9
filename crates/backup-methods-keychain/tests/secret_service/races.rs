//! Several who put one name at once, and entries that are there twice.

use std::{
    collections::HashMap,
    process::Command,
    sync::{Arc, Barrier},
    thread,
};

use backup_core::{EncryptionKey, ErrorKind, KeyName, KeyPrefix, KeyStore};
use backup_methods_keychain::Keychain;
use futures_executor::block_on;

use crate::support::{Session, bare, context, entries, fresh, op, service};

/// What the processes of this test are told.
const NAME: &str = "KEYCHAIN_TEST_NAME";
const BYTE: &str = "KEYCHAIN_TEST_BYTE";
const WON: i32 = 40;
const LOST: i32 = 41;

#[test]
fn of_two_processes_that_put_one_name_none_overwrites_the_other() {
    let context = context();
    let keychain = Keychain::system();
    if let (Ok(name), Ok(byte)) = (std::env::var(NAME), std::env::var(BYTE)) {
        let name = KeyName::parse(&KeyPrefix::of(&context), &name).unwrap();
        let key = EncryptionKey::copied_from(&[byte.parse().unwrap(); 32]);
        let put = block_on(keychain.put(&op(&context), &name, &key));
        std::process::exit(match put.map_err(|error| error.kind()) {
            Ok(()) => WON,
            Err(ErrorKind::Conflict) => LOST,
            Err(kind) => panic!("{kind:?}"),
        });
    }
    let _session = Session::new();
    for _ in 0..8 {
        let (name, _) = fresh(&context);
        let codes = put_by_processes(&name, [1, 2, 3]);
        let winners: Vec<_> =
            (1..).zip(&codes).filter(|(_, code)| **code == WON).map(|(byte, _)| byte).collect();
        assert!(codes.iter().all(|code| [WON, LOST].contains(code)), "{codes:?}");
        match (winners.as_slice(), block_on(keychain.get(&op(&context), &name))) {
            ([byte], Ok(key)) => assert_eq!(key.expose(), &[*byte; 32], "the winner's key stays"),
            ([], Err(error)) => assert_eq!(error.kind(), ErrorKind::NotFound),
            (winners, _) => panic!("{winners:?} were told that their key is kept"),
        }
        let claims = entries(&context).len();
        block_on(keychain.delete(&op(&context), &name)).unwrap();
        assert_eq!(claims, winners.len(), "a claim has stayed");
    }
}

fn put_by_processes<const N: usize>(name: &KeyName, bytes: [u8; N]) -> Vec<i32> {
    let (barrier, program) = (Arc::new(Barrier::new(N)), std::env::current_exe().unwrap());
    let threads = bytes.map(|byte| {
        let (barrier, program, name) = (barrier.clone(), program.clone(), name.clone());
        thread::spawn(move || {
            let mut command = Command::new(program);
            command.args(std::env::args_os().skip(1)).env(NAME, name.as_str());
            barrier.wait();
            command.env(BYTE, byte.to_string()).output().unwrap().status.code().unwrap()
        })
    });
    threads.map(|thread| thread.join().unwrap()).into()
}

#[test]
fn a_claim_that_a_crash_left_is_listed_repeated_and_deleted() {
    let _session = Session::new();
    let (context, keychain) = (context(), Keychain::system());
    let (name, key) = fresh(&context);
    let claim = format!("{}-claim-{}", name.as_str(), "0".repeat(32));
    let text = base16ct::lower::encode_string(key.expose());
    let claim = bare().build(&service(&context), &claim, None).unwrap();
    claim.set_secret(text.as_bytes()).unwrap();

    let prefix = KeyPrefix::of(&context);
    let op = op(&context);
    assert_eq!(block_on(keychain.list(&op, &prefix)).unwrap(), std::slice::from_ref(&name));
    let absent = block_on(keychain.get(&op, &name)).unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::NotFound, "a claim is no key yet");
    let other = EncryptionKey::generate().unwrap();
    let refused = block_on(keychain.put(&op, &name, &other)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict, "whoever made the claim may still go on");
    block_on(keychain.put(&op, &name, &key)).unwrap();
    assert_eq!(block_on(keychain.get(&op, &name)).unwrap(), key);
    assert_eq!(block_on(keychain.list(&op, &prefix)).unwrap(), std::slice::from_ref(&name));
    block_on(keychain.delete(&op, &name)).unwrap();
    assert!(entries(&context).is_empty(), "the claim has stayed");
}

#[test]
fn an_entry_that_is_there_twice_is_read_if_both_are_the_same_and_deleted_whole() {
    let _session = Session::new();
    let (context, keychain) = (context(), Keychain::system());
    let (name, key) = fresh(&context);
    block_on(keychain.put(&op(&context), &name, &key)).unwrap();
    add_twin(&name, &key);
    assert_eq!(entries(&context).len(), 2);
    assert_eq!(block_on(keychain.get(&op(&context), &name)).unwrap(), key);
    block_on(keychain.put(&op(&context), &name, &key)).unwrap();

    add_twin(&name, &EncryptionKey::generate().unwrap());
    let error = block_on(keychain.get(&op(&context), &name)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    block_on(keychain.delete(&op(&context), &name)).unwrap();
    assert!(entries(&context).is_empty(), "one of the three has stayed");
}

/// Another entry of the same attributes, as merging two keyrings makes.
fn add_twin(name: &KeyName, key: &EncryptionKey) {
    let service = service(&context());
    let secrets =
        secret_service::blocking::SecretService::connect(secret_service::EncryptionType::Plain)
            .unwrap();
    let attributes = HashMap::from([("service", service.as_str()), ("username", name.as_str())]);
    let text = base16ct::lower::encode_string(key.expose());
    let keyring = secrets.get_default_collection().unwrap();
    keyring.create_item("twin", attributes, text.as_bytes(), false, "text/plain").unwrap();
}
