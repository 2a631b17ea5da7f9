//! Each rule of the life of sets, and what has to hold after any number of steps.

use super::*;

mod model;
mod notices;

const GRACE: u64 = 100;

fn id(id: &str) -> BackupId {
    BackupId::new(id).unwrap()
}

fn pending(name: &str) -> BackupSet {
    BackupSet {
        id: id(name),
        method: MethodId::PASSWORD,
        wallets: vec![Curve::Secp256k1, Curve::Ed25519],
        completion: Completion::Commit,
        enrollment: Some([1; 32]),
        state: SetState::Pending { since: 10 },
    }
}

fn completed(name: &str, sequence: u64, proved_since: Option<u64>) -> BackupSet {
    BackupSet { state: SetState::Completed { sequence, proved_since }, ..pending(name) }
}

fn of_method(method: MethodId, set: BackupSet) -> BackupSet {
    BackupSet { method, ..set }
}

fn on(wallets: &[Curve], set: BackupSet) -> BackupSet {
    BackupSet { wallets: wallets.to_vec(), ..set }
}

fn request(name: &str, replaces: Option<&str>, opened_after_enrollment: bool) -> CommitRequest {
    CommitRequest { id: id(name), replaces: replaces.map(id), opened_after_enrollment }
}

fn key(byte: u8) -> DevicePublicKey {
    DevicePublicKey::from_bytes([byte; 32])
}

#[test]
fn the_head_is_the_newest_completed_set_of_its_method() {
    let sets = [
        completed("old", 1, Some(5)),
        completed("new", 2, None),
        pending("pending"),
        of_method(MethodId::GDRIVE, completed("other", 3, Some(5))),
    ];
    assert_eq!(head(&sets, &MethodId::PASSWORD).unwrap().id, id("new"));
    assert_eq!(head(&sets, &MethodId::GDRIVE).unwrap().id, id("other"));
    assert_eq!(head(&sets, &MethodId::ICLOUD), None);
}

#[test]
fn of_each_method_the_newest_completed_set_of_a_wallet_is_shown() {
    let sets = [
        completed("both", 1, Some(5)),
        on(&[Curve::Ed25519], completed("newer", 2, None)),
        pending("pending"),
        of_method(MethodId::GDRIVE, completed("other", 3, Some(5))),
    ];
    let shown = |curve| newest(&sets, &MethodId::PASSWORD, curve).unwrap().id.clone();
    assert_eq!(shown(Curve::Secp256k1), id("both"));
    assert_eq!(shown(Curve::Ed25519), id("newer"));
    assert_eq!(newest(&sets, &MethodId::ICLOUD, Curve::Ed25519), None);
}

#[test]
fn a_commit_of_what_is_not_there_is_refused() {
    assert_eq!(commit(&[], &request("a", None, true)), Err(Refusal::NoSuchSet));
}

#[test]
fn a_commit_without_an_envelope_is_refused() {
    let set = BackupSet { enrollment: None, ..pending("a") };
    assert_eq!(commit(&[set], &request("a", None, true)), Err(Refusal::NoEnvelope));
}

#[test]
fn a_first_commit_replaces_nothing() {
    let sets = [pending("a")];
    assert_eq!(commit(&sets, &request("a", None, true)), Ok(Committed::Now { proved: true }));
    assert_eq!(commit(&sets, &request("a", Some("b"), true)), Err(Refusal::NotTheHead));
}

#[test]
fn a_commit_names_the_head_of_its_own_method() {
    let sets = [
        completed("head", 2, None),
        completed("older", 1, None),
        of_method(MethodId::GDRIVE, completed("other", 3, None)),
        pending("a"),
    ];
    for wrong in [None, Some("older"), Some("other"), Some("a"), Some("unknown")] {
        let refused = commit(&sets, &request("a", wrong, true));
        assert_eq!(refused, Err(Refusal::NotTheHead), "{wrong:?}");
    }
    assert!(commit(&sets, &request("a", Some("head"), true)).is_ok());
}

#[test]
fn a_repeated_commit_succeeds_whatever_has_become_the_head() {
    let sets = [completed("a", 1, None), completed("b", 2, None)];
    assert_eq!(commit(&sets, &request("a", None, true)), Ok(Committed::Before));
}

#[test]
fn a_slot_that_was_not_opened_after_enrolment_proves_nothing() {
    let sets = [pending("a")];
    assert_eq!(commit(&sets, &request("a", None, false)), Ok(Committed::Now { proved: false }));
}

#[test]
fn the_slot_of_a_proved_set_proves_the_next_one() {
    let sets = [completed("head", 1, Some(5)), pending("a")];
    let committed = commit(&sets, &request("a", Some("head"), false));
    assert_eq!(committed, Ok(Committed::Now { proved: true }));
}

#[test]
fn the_slot_of_a_set_that_is_not_proved_or_of_another_method_proves_nothing() {
    let unproved = completed("head", 1, None);
    let committed = commit(&[unproved, pending("a")], &request("a", Some("head"), false));
    assert_eq!(committed, Ok(Committed::Now { proved: false }));
    let other = of_method(MethodId::GDRIVE, completed("other", 1, Some(5)));
    let committed = commit(&[other, pending("a")], &request("a", None, false));
    assert_eq!(committed, Ok(Committed::Now { proved: false }));
}

#[test]
fn another_slot_is_not_proved_by_an_older_one() {
    let before = BackupSet { enrollment: Some([2; 32]), ..completed("head", 1, Some(5)) };
    let committed = commit(&[before, pending("a")], &request("a", Some("head"), false));
    assert_eq!(committed, Ok(Committed::Now { proved: false }));
}

#[test]
fn a_new_pending_set_displaces_those_of_its_method_that_are_pending() {
    let other = of_method(MethodId::GDRIVE, pending("other"));
    let sets = [completed("a", 1, None), pending("b"), other];
    let gone: Vec<_> = displaced(&sets, &MethodId::PASSWORD).map(|set| &set.id).collect();
    assert_eq!(gone, [&id("b")]);
}

#[test]
fn a_pending_set_is_dropped_and_a_completed_one_is_not() {
    let sets = [pending("a"), completed("b", 1, None)];
    assert_eq!(drop_pending(&sets, &id("a")), Ok(Some(&sets[0])));
    assert_eq!(drop_pending(&sets, &id("b")), Err(Refusal::Completed));
}

#[test]
fn dropping_what_is_not_there_succeeds() {
    assert_eq!(drop_pending(&[], &id("a")), Ok(None));
}

#[test]
fn a_set_retires_when_a_newer_one_has_been_proved_for_the_grace() {
    let sets = [completed("old", 1, Some(5)), completed("new", 2, Some(50))];
    assert_eq!(retires_at(&sets, &sets[0], GRACE), Some(150));
    assert_eq!(retirable(&sets, 149, GRACE).count(), 0);
    assert_eq!(retirable(&sets, 150, GRACE).collect::<Vec<_>>(), [&sets[0]]);
}

#[test]
fn a_newer_set_that_is_pending_not_proved_or_of_another_method_retires_nothing() {
    let old = completed("old", 1, Some(5));
    let other = of_method(MethodId::GDRIVE, completed("b", 2, Some(5)));
    for newer in [pending("b"), completed("b", 2, None), other] {
        let sets = [old.clone(), newer];
        assert_eq!(retires_at(&sets, &sets[0], GRACE), None, "{:?}", sets[1]);
    }
}

#[test]
fn an_older_proved_set_retires_nothing() {
    let sets = [completed("old", 1, Some(5)), completed("new", 2, None)];
    assert_eq!(retires_at(&sets, &sets[1], GRACE), None);
}

#[test]
fn a_set_stays_until_each_of_its_wallets_has_a_newer_proved_one() {
    let old = completed("old", 1, Some(5));
    let ed25519 = on(&[Curve::Ed25519], completed("e", 2, Some(20)));
    let secp256k1 = on(&[Curve::Secp256k1], completed("s", 3, Some(70)));
    let sets = [old.clone(), ed25519.clone()];
    assert_eq!(retires_at(&sets, &old, GRACE), None);
    let sets = [old.clone(), ed25519, secp256k1];
    assert_eq!(retires_at(&sets, &old, GRACE), Some(170));
}

#[test]
fn what_a_recovery_proved_later_counts_from_then() {
    let sets = [completed("a", 1, None), completed("b", 2, Some(90)), completed("c", 3, Some(40))];
    assert_eq!(retires_at(&sets, &sets[0], GRACE), Some(140));
    assert_eq!(retires_at(&sets, &sets[1], GRACE), Some(140));
    assert_eq!(retires_at(&sets, &sets[2], GRACE), None);
}

#[test]
fn a_pending_set_never_retires_and_a_completed_one_never_expires() {
    let sets = [pending("a"), completed("b", 1, Some(0))];
    assert_eq!(retires_at(&sets, &sets[0], 0), None);
    assert_eq!(expired(&sets, u64::MAX, 7).collect::<Vec<_>>(), [&sets[0]]);
}

#[test]
fn a_pending_set_expires_when_its_lifetime_is_over() {
    let sets = [pending("a")];
    assert_eq!(expired(&sets, 16, 7).count(), 0);
    assert_eq!(expired(&sets, 17, 7).count(), 1);
}

#[test]
fn a_set_is_revoked_while_another_proved_one_keeps_its_wallets() {
    let sets = [
        completed("a", 1, Some(5)),
        of_method(MethodId::GDRIVE, completed("b", 2, Some(5))),
        completed("c", 3, None),
    ];
    assert_eq!(revoke(&sets, &[id("a"), id("c")]), Ok(vec![&sets[0], &sets[2]]));
    assert_eq!(revoke(&sets, &[id("b")]), Ok(vec![&sets[1]]));
}

#[test]
fn the_last_proved_set_of_a_wallet_is_not_revoked() {
    let sets = [completed("a", 1, Some(5)), completed("b", 2, None)];
    assert_eq!(revoke(&sets, &[id("a")]), Err(Refusal::LastProved));
    assert_eq!(revoke(&sets, &[id("a"), id("b")]), Err(Refusal::LastProved));
    let sets = [completed("a", 1, Some(5)), on(&[Curve::Ed25519], completed("b", 2, Some(5)))];
    assert_eq!(revoke(&sets, &[id("a")]), Err(Refusal::LastProved));
    assert_eq!(revoke(&sets, &[id("b")]), Ok(vec![&sets[1]]));
}

#[test]
fn a_pending_set_is_not_revoked_and_neither_is_anything_with_it() {
    let sets = [completed("a", 1, Some(5)), completed("b", 2, Some(5)), pending("c")];
    assert_eq!(revoke(&sets, &[id("a"), id("c")]), Err(Refusal::Pending));
}

#[test]
fn revoking_what_is_revoked_succeeds() {
    let sets = [completed("a", 1, Some(5))];
    assert_eq!(revoke(&sets, &[id("gone")]), Ok(vec![]));
    assert_eq!(revoke(&sets, &[]), Ok(vec![]));
}

#[test]
fn a_signing_set_takes_the_place_of_the_one_that_it_was_begun_on() {
    assert_eq!(confirm(None, key(1), None), Ok(()));
    assert_eq!(confirm(Some(key(1)), key(2), Some(key(1))), Ok(()));
}

#[test]
fn a_repeated_confirmation_succeeds() {
    assert_eq!(confirm(Some(key(2)), key(2), Some(key(1))), Ok(()));
    assert_eq!(confirm(Some(key(2)), key(2), None), Ok(()));
}

#[test]
fn a_signing_set_is_refused_once_another_has_become_live() {
    let refused = Err(Refusal::AnotherIsLive);
    assert_eq!(confirm(Some(key(3)), key(2), Some(key(1))), refused);
    assert_eq!(confirm(Some(key(3)), key(2), None), refused);
    assert_eq!(confirm(None, key(2), Some(key(1))), refused);
}
