//! The life of an enrolment: enroll, seal, seal again without the user, open, go on sealing.

use std::sync::atomic::Ordering;

use backup_core::{
    BackupKey, Curve, Envelope, ErrorKind, Operation, Purpose, Sealer, secrecy::ExposeSecret,
};
use futures_executor::block_on;

use crate::common::{Forgetful, backup, context, share, wallets};

fn enroll(method: &Forgetful) -> Sealer {
    block_on(Sealer::enroll(method, &Operation::new(Purpose::Enroll, &context()))).unwrap()
}

#[test]
fn a_later_backup_takes_other_shares_and_one_more_curve_without_asking_the_user() {
    let method = Forgetful::new("com.example.memory", 0);
    let sealer = enroll(&method);
    let first = sealer.seal(&backup("1"), &[share(Curve::Secp256k1, 1)]).unwrap();
    let later = [share(Curve::Ed25519, 3), share(Curve::Secp256k1, 5)];
    let later = sealer.seal(&backup("2"), &later).unwrap();
    assert_eq!(method.asked.load(Ordering::Relaxed), 0);
    assert_eq!(first.header().slot, later.header().slot);

    let context = context();
    let op = Operation::new(Purpose::Unlock, &context);
    let opened = block_on(later.open(&method, &op, &wallets())).unwrap();
    let secrets: Vec<_> = opened.shares.iter().map(|s| s.secret().expose_secret()[0]).collect();
    assert_eq!(secrets, [5, 3], "shares come in the order of the curves");
}

#[test]
fn a_device_that_opened_an_envelope_seals_the_next_one_for_the_same_slot() {
    let method = Forgetful::new("com.example.memory", 0);
    let first = enroll(&method).seal(&backup("1"), &[share(Curve::Ed25519, 1)]).unwrap();
    let context = context();
    let op = Operation::new(Purpose::Unlock, &context);
    let opened = block_on(first.open(&method, &op, &wallets())).unwrap();
    assert!(opened.sealer.made(&first));
    let next = opened.sealer.seal(&backup("2"), &[share(Curve::Ed25519, 3)]).unwrap();
    let opened = block_on(next.open(&method, &op, &wallets())).unwrap();
    assert_eq!(opened.shares[0].secret().expose_secret()[0], 3);
}

#[test]
fn a_new_enrolment_makes_a_new_backup_key_and_is_told_from_the_old() {
    let method = Forgetful::new("com.example.memory", 0);
    let (old, new) = (enroll(&method), enroll(&method));
    let envelope = new.seal(&backup("1"), &[share(Curve::Ed25519, 1)]).unwrap();
    assert!(new.made(&envelope));
    assert!(!old.made(&envelope));
}

#[test]
fn a_stored_record_seals_like_the_sealer_that_it_was_made_of() {
    let method = Forgetful::new("com.example.memory", 0);
    let record = enroll(&method).encode();
    let sealer = Sealer::decode(record.expose_secret()).unwrap();
    let envelope = sealer.seal(&backup("1"), &[share(Curve::Ed25519, 1)]).unwrap();
    let context = context();
    let op = Operation::new(Purpose::Unlock, &context);
    assert!(block_on(envelope.open(&method, &op, &wallets())).is_ok());
}

#[test]
fn an_envelope_without_a_slot_opens_with_its_backup_key_and_no_method() {
    let (sealer, key) = Sealer::without_slot(&context()).unwrap();
    let envelope = sealer.seal(&backup("1"), &[share(Curve::Ed25519, 1)]).unwrap();
    assert!(envelope.open_with_key(&key, &context(), &wallets()).is_ok());

    let wrong = BackupKey::generate().unwrap();
    let error = envelope.open_with_key(&wrong, &context(), &wallets()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    let method = Forgetful::new("com.example.memory", 0);
    let context = context();
    let op = Operation::new(Purpose::Unlock, &context);
    let error = block_on(envelope.open(&method, &op, &wallets())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(method.asked.load(Ordering::Relaxed), 0);
}

#[test]
fn the_user_may_be_wrong_as_often_as_the_operation_allows() {
    for (mistakes, attempts, asked, opens) in [(0, 3, 1, true), (2, 3, 3, true), (3, 3, 3, false)] {
        let method = Forgetful::new("com.example.memory", mistakes);
        let envelope = enroll(&method).seal(&backup("1"), &[share(Curve::Ed25519, 1)]).unwrap();
        let context = context();
        let op = Operation::new(Purpose::Unlock, &context).with_attempts(attempts);
        let result = block_on(envelope.open(&method, &op, &wallets()));
        assert_eq!(result.is_ok(), opens);
        assert_eq!(method.asked.load(Ordering::Relaxed), asked);
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Unauthorized);
            assert_eq!(error.method(), Some(method_id()).as_ref());
        }
    }
}

fn method_id() -> backup_core::MethodId {
    backup_core::MethodId::new("com.example.memory").unwrap()
}

#[test]
fn the_user_is_asked_once_for_an_envelope_that_says_it_is_somebody_elses() {
    let method = Forgetful::new("com.example.memory", 0);
    let envelope = enroll(&method).seal(&backup("1"), &[share(Curve::Ed25519, 1)]).unwrap();
    let bob = backup_core::EncryptionContext::new(
        context().custodian,
        backup_core::ClientId::new("bob").unwrap(),
    );
    let op = Operation::new(Purpose::Unlock, &bob);
    let error = block_on(envelope.open(&method, &op, &wallets())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(method.asked.load(Ordering::Relaxed), 1);
}

#[test]
fn a_backup_of_nothing_or_of_one_curve_twice_is_refused() {
    let sealer = enroll(&Forgetful::new("com.example.memory", 0));
    let twice = [share(Curve::Ed25519, 1), share(Curve::Ed25519, 3)];
    for shares in [&[][..], &twice] {
        let error = sealer.seal(&backup("1"), shares).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn a_curve_inside_needs_a_wallet_from_the_reader_before_the_user_is_asked() {
    let method = Forgetful::new("com.example.memory", 0);
    let envelope = enroll(&method).seal(&backup("1"), &[share(Curve::Ed25519, 1)]).unwrap();
    let context = context();
    let op = Operation::new(Purpose::Unlock, &context);
    let only_secp = [crate::common::wallet(Curve::Secp256k1)];
    let error = block_on(envelope.open(&method, &op, &only_secp)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("ED25519"), "{error}");
    assert_eq!(method.asked.load(Ordering::Relaxed), 0);
}

#[test]
fn no_debug_output_holds_a_share_or_a_key() {
    let sealer = enroll(&Forgetful::new("com.example.memory", 0));
    let share = share(Curve::Ed25519, 0xab);
    let secret = "171, 171, 171, 171";
    assert!(!format!("{share:?}").contains(secret));
    let record = sealer.encode();
    let psk = &record.expose_secret()[record.expose_secret().len() - 32..];
    assert!(!format!("{sealer:?}").contains(&format!("{:?}", &psk[..4]).replace(['[', ']'], "")));
    assert!(format!("{sealer:?}").contains("REDACTED"));
    assert_eq!(Envelope::parse("x").unwrap_err().kind(), ErrorKind::Damaged);
}
