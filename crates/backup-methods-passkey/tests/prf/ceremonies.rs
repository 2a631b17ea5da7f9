//! How often the user is asked, and by which passkey a backup is made.

use backup_core::{
    BackupId, BackupMethod, Envelope, ErrorKind, KeySlot, Operation, Purpose, Sealer,
};
use backup_methods_passkey::{PasskeyPrf, RelyingParty};
use backup_testkit::{Client, passkey::PasskeyFault};
use base64ct::{Base64UrlUnpadded, Encoding};

use crate::support::{alice, block_on, device, faulty};

#[test]
fn a_first_backup_takes_three_ceremonies_with_a_new_passkey_and_a_later_one_none() {
    let (authenticator, page) = device();
    let (method, client) = (page.method(), Client::new());
    let envelope = block_on(client.back_up(&method)).unwrap();
    assert_eq!((page.ceremonies.count(), authenticator.passkeys()), (2, 1));
    let opened = block_on(client.open(&method, &envelope)).unwrap();
    assert_eq!(page.ceremonies.count(), 3);
    opened.sealer.seal(&BackupId::generate().unwrap(), &opened.shares).unwrap();
    assert_eq!(page.ceremonies.count(), 3);
}

#[test]
fn a_first_backup_takes_two_ceremonies_with_a_passkey_that_there_is() {
    let (authenticator, page) = device();
    let client = Client::new();
    let first = block_on(client.back_up(&page.method())).unwrap();
    let slot = first.header().slot.clone().unwrap();
    let passkey = PasskeyPrf::passkey_of(slot.params()).unwrap();

    let before = page.ceremonies.count();
    let method = page.method().with_passkeys([passkey.clone()]);
    let second = block_on(client.back_up(&method)).unwrap();
    block_on(client.open(&method, &second)).unwrap();
    assert_eq!(page.ceremonies.count() - before, 2);
    assert_eq!(authenticator.passkeys(), 1);
    let slot = second.header().slot.clone().unwrap();
    assert_eq!(PasskeyPrf::passkey_of(slot.params()).unwrap(), passkey);
    let key = |slot: &KeySlot| {
        let op = Operation::new(Purpose::Unlock, client.context());
        block_on(method.unlock(&op, slot.params())).unwrap()
    };
    let first_slot = first.header().slot.as_ref().unwrap();
    assert_ne!(key(&slot), key(first_slot), "two enrolments of a passkey have one key");
    block_on(client.open(&method, &first)).unwrap();
}

#[test]
fn a_new_passkey_takes_no_earlier_ones_place() {
    let (authenticator, page) = device();
    let client = Client::new();
    let first = block_on(client.back_up(&page.method())).unwrap();
    block_on(client.back_up(&page.method())).unwrap();
    assert_eq!(authenticator.passkeys(), 2);
    block_on(client.open(&page.method(), &first)).unwrap();
}

#[test]
fn another_relying_partys_backup_asks_nobody() {
    let (_, page) = device();
    let client = Client::new();
    let envelope = block_on(client.back_up(&page.method())).unwrap();
    let asked = page.ceremonies.count();
    let other = RelyingParty::new("wallet.example.com", "Acme").unwrap();
    let method = PasskeyPrf::new(page.clone(), other, alice());
    let error = block_on(client.open(&method, &envelope)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("for example.com"), "{error}");
    assert_eq!(page.ceremonies.count(), asked);
}

#[test]
fn a_backup_that_does_not_open_with_the_right_passkey_asks_once() {
    let (_, page) = device();
    let client = Client::new();
    let method = page.method();
    let enroll = || block_on(Sealer::enroll(&method, &client.op(Purpose::Enroll))).unwrap();
    let envelope = block_on(client.back_up(&method)).unwrap();
    let other = enroll();

    // The parameters of one enrolment in the slot of the other: the check value is right.
    let swapped = swap_params(envelope.as_str(), other.slot().unwrap().params().as_bytes());
    let envelope = Envelope::parse(&swapped).unwrap();
    let asked = page.ceremonies.count();
    let error = block_on(client.open(&method, &envelope)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("the right one"), "{error}");
    assert_eq!(page.ceremonies.count(), asked + 1);
}

/// Puts other parameters of the same length into the slot of an envelope.
fn swap_params(envelope: &str, params: &[u8]) -> String {
    let prefix = "portal-backup-1.";
    let mut body = Base64UrlUnpadded::decode_vec(&envelope[prefix.len()..]).unwrap();
    let start = body.windows(7).position(|window| window == br#"{"v":1,"#).unwrap();
    body[start..start + params.len()].copy_from_slice(params);
    format!("{prefix}{}", Base64UrlUnpadded::encode_string(&body))
}

#[test]
fn a_wrong_passkey_is_asked_for_again_as_often_as_allowed() {
    let (authenticator, page) = device();
    let client = Client::new();
    let envelope = block_on(client.back_up(&page.method())).unwrap();
    let slot = envelope.header().slot.clone().unwrap();
    let wrong = faulty(&authenticator, PasskeyFault::AnswersWithAnother);
    for attempts in [1, 3] {
        let before = wrong.ceremonies.count();
        let op = Operation::new(Purpose::Unlock, client.context()).with_attempts(attempts);
        let error = block_on(wrong.method().unlock(&op, slot.params())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert_eq!(wrong.ceremonies.count() - before, attempts as usize);
    }
}
