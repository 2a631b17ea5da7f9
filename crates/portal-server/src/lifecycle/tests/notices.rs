//! What an app's word does and does not.

use portal_api::compat::BackupStage;

use super::*;

fn noticed_later(name: &str) -> BackupSet {
    BackupSet { completion: Completion::Notice, ..pending(name) }
}

fn by_notice(name: &str, sequence: u64) -> BackupSet {
    BackupSet { completion: Completion::Notice, ..completed(name, sequence, None) }
}

#[test]
fn a_notice_brings_forward_what_its_device_has_meant_for_it_and_nothing_else() {
    let sets = [noticed_later("a"), of_method(MethodId::GDRIVE, pending("b"))];
    assert_eq!(notice(&sets, &id("a")), Ok(Noticed::Pending(&sets[0])));
    assert_eq!(notice(&sets, &id("b")), Err(Refusal::NeedsCommit));
    assert_eq!(notice(&sets, &id("c")), Err(Refusal::NoSuchSet));
}

#[test]
fn a_notice_about_what_is_completed_changes_nothing() {
    let sets = [completed("a", 1, Some(5)), by_notice("b", 2)];
    assert_eq!(notice(&sets, &id("a")), Ok(Noticed::Completed));
    assert_eq!(notice(&sets, &id("b")), Ok(Noticed::Completed));
}

#[test]
fn once_a_device_has_committed_a_set_of_a_method_no_notice_completes_another() {
    let other = of_method(MethodId::GDRIVE, completed("other", 3, Some(5)));
    let sets = [by_notice("old", 1), other.clone(), noticed_later("a")];
    assert_eq!(notice(&sets, &id("a")), Ok(Noticed::Pending(&sets[2])));
    assert_eq!(may_begin(&sets, &MethodId::PASSWORD, Completion::Notice), Ok(()));
    let sets = [completed("old", 1, None), other, noticed_later("a")];
    assert_eq!(notice(&sets, &id("a")), Err(Refusal::NeedsCommit));
    let refused = Err(Refusal::NeedsCommit);
    assert_eq!(may_begin(&sets, &MethodId::PASSWORD, Completion::Notice), refused);
    assert_eq!(may_begin(&sets, &MethodId::PASSWORD, Completion::Commit), Ok(()));
}

#[test]
fn a_set_that_is_meant_for_a_notice_is_not_committed() {
    let sets = [noticed_later("a")];
    assert_eq!(commit(&sets, &request("a", None, true)), Err(Refusal::NeedsNotice));
}

#[test]
fn a_notice_without_pairs_means_what_is_pending_of_its_method() {
    let drive = of_method(MethodId::GDRIVE, noticed_later("drive"));
    let cloud = of_method(MethodId::ICLOUD, pending("cloud"));
    let sets = [by_notice("old", 1), drive.clone(), cloud];
    assert_eq!(noticed(&sets, Some(&MethodId::GDRIVE)), Ok(&sets[1]));
    assert_eq!(noticed(&sets, Some(&MethodId::PASSWORD)), Err(Refusal::NothingPending));
    assert_eq!(noticed(&sets, Some(&MethodId::ICLOUD)), Err(Refusal::NeedsCommit));
    assert_eq!(noticed(&sets, None), Ok(&sets[1]));
    let two = [drive, noticed_later("a")];
    assert_eq!(noticed(&two, None), Err(Refusal::NothingPending));
    assert_eq!(noticed(&[], None), Err(Refusal::NothingPending));
}

#[test]
fn stages_only_move_forward() {
    use BackupStage::{ClientKey, ClientShare, CustodianShare};
    assert_eq!(advances(CustodianShare, ClientKey), Ok(true));
    assert_eq!(advances(CustodianShare, ClientShare), Ok(true));
    assert_eq!(advances(ClientShare, ClientShare), Ok(false));
    assert_eq!(advances(ClientShare, ClientKey), Err(Refusal::Backwards));
    assert_eq!(advances(ClientKey, CustodianShare), Err(Refusal::Backwards));
}

#[test]
fn a_set_completes_when_all_of_its_pairs_do_and_where_ciphertexts_are_kept_not_without() {
    use BackupStage::{ClientKey, ClientShare};
    let set = noticed_later("a");
    let empty = BackupSet { enrollment: None, ..set.clone() };
    assert_eq!(completes(&set, &[ClientShare, ClientKey], true), Ok(false));
    assert_eq!(completes(&set, &[ClientShare, ClientShare], true), Ok(true));
    assert_eq!(completes(&empty, &[ClientShare, ClientKey], true), Err(Refusal::NoEnvelope));
    assert_eq!(completes(&empty, &[ClientKey, ClientKey], true), Ok(false));
    assert_eq!(completes(&empty, &[ClientShare, ClientShare], false), Ok(true));
}

#[test]
fn what_waits_for_a_notice_is_told_of_to_nobody() {
    assert!(!is_told_of(&noticed_later("a")));
    assert!(is_told_of(&by_notice("a", 1)));
    assert!(is_told_of(&pending("a")));
}

#[test]
fn a_set_completed_by_a_notice_retires_nothing_until_a_recovery_has_proved_it() {
    let sets = [by_notice("old", 1), by_notice("new", 2)];
    assert_eq!(retires_at(&sets, &sets[0], GRACE), None);
    let state = SetState::Completed { sequence: 2, proved_since: Some(50) };
    let sets = [by_notice("old", 1), BackupSet { state, ..by_notice("new", 2) }];
    assert_eq!(retires_at(&sets, &sets[0], GRACE), Some(150));
}

#[test]
fn a_device_that_commits_replaces_what_a_notice_has_completed() {
    let sets = [by_notice("old", 1), pending("a")];
    let committed = commit(&sets, &request("a", Some("old"), true));
    assert_eq!(committed, Ok(Committed::Now { proved: true }));
    let silent = commit(&sets, &request("a", Some("old"), false));
    assert_eq!(silent, Ok(Committed::Now { proved: false }));
}
