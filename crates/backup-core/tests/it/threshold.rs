//! Some of several methods: who is asked, who is passed over, and what becomes of a failure.

use std::sync::{Arc, atomic::Ordering};

use backup_core::{
    BackupMethod, Curve, Envelope, ErrorKind, Operation, Purpose, Sealer, Threshold,
};
use futures_executor::block_on;

use crate::common::{Forgetful, backup, context, share, wallets};

const IDS: [&str; 3] = ["com.example.one", "com.example.two", "com.example.three"];

struct Household {
    members: [Arc<Forgetful>; 3],
}

impl Household {
    fn with_mistakes(mistakes: [u32; 3]) -> Self {
        let mut ids = IDS.into_iter();
        Self { members: mistakes.map(|n| Arc::new(Forgetful::new(ids.next().unwrap(), n))) }
    }

    fn threshold(&self, required: usize) -> Threshold {
        self.threshold_of(required, &[0, 1, 2])
    }

    fn threshold_of(&self, required: usize, members: &[usize]) -> Threshold {
        let member = |&i: &usize| (IDS[i], Arc::clone(&self.members[i]) as Arc<dyn BackupMethod>);
        Threshold::new(required, members.iter().map(member)).unwrap()
    }

    fn asked(&self) -> [u32; 3] {
        [0, 1, 2].map(|i| self.members[i].asked.load(Ordering::Relaxed))
    }
}

fn seal(method: &Threshold) -> Envelope {
    let context = context();
    let op = Operation::new(Purpose::Enroll, &context);
    let sealer = block_on(Sealer::enroll(method, &op)).unwrap();
    sealer.seal(&backup("1"), &[share(Curve::Ed25519, 1)]).unwrap()
}

fn open(envelope: &Envelope, method: &Threshold) -> Result<(), ErrorKind> {
    let context = context();
    let op = Operation::new(Purpose::Unlock, &context);
    block_on(envelope.open(method, &op, &wallets())).map(drop).map_err(|error| error.kind())
}

#[test]
fn any_sufficient_members_open_and_no_more_are_asked() {
    let home = Household::with_mistakes([0; 3]);
    let envelope = seal(&home.threshold(2));
    assert_eq!(open(&envelope, &home.threshold(2)), Ok(()));
    assert_eq!(home.asked(), [1, 1, 0]);
    for pair in [[0, 1], [0, 2], [1, 2]] {
        assert_eq!(open(&envelope, &home.threshold_of(2, &pair)), Ok(()), "{pair:?}");
    }
}

#[test]
fn too_few_members_do_not_open() {
    let home = Household::with_mistakes([0; 3]);
    let envelope = seal(&home.threshold(2));
    for lone in 0..3 {
        assert_eq!(open(&envelope, &home.threshold_of(1, &[lone])), Err(ErrorKind::NotFound));
    }
}

#[test]
fn a_wrong_secret_is_known_at_its_member_and_asked_for_again() {
    let home = Household::with_mistakes([2, 0, 0]);
    let envelope = seal(&home.threshold(3));
    assert_eq!(open(&envelope, &home.threshold(3)), Ok(()));
    assert_eq!(home.asked(), [3, 1, 1]);
}

#[test]
fn a_member_that_fails_or_is_cancelled_is_passed_over_while_enough_are_left() {
    for kind in [ErrorKind::Cancelled, ErrorKind::Unavailable, ErrorKind::Unauthorized] {
        let home = Household::with_mistakes([0; 3]);
        let envelope = seal(&home.threshold(2));
        home.members[0].fail(kind);
        assert_eq!(open(&envelope, &home.threshold(2)), Ok(()));
        home.members[2].fail(kind);
        assert_eq!(open(&envelope, &home.threshold(2)), Err(kind));
    }
}

#[test]
fn a_failed_enrolment_revokes_what_it_made() {
    let home = Household::with_mistakes([0; 3]);
    home.members[2].fail(ErrorKind::Cancelled);
    let context = context();
    let op = Operation::new(Purpose::Enroll, &context);
    let error = block_on(Sealer::enroll(&home.threshold(2), &op)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(error.method().unwrap().as_str(), IDS[2]);
    let revoked = [0, 1, 2].map(|i| home.members[i].revoked.load(Ordering::Relaxed));
    assert_eq!(revoked, [1, 1, 0]);
}

#[test]
fn check_wants_all_members_to_enroll_and_enough_to_unlock() {
    let home = Household::with_mistakes([0; 3]);
    home.members[1].fail(ErrorKind::Unavailable);
    let context = context();
    let check = |purpose| {
        block_on(home.threshold(2).check(&Operation::new(purpose, &context))).map_err(|e| e.kind())
    };
    assert_eq!(check(Purpose::Enroll), Err(ErrorKind::Unavailable));
    assert_eq!(check(Purpose::Revoke), Err(ErrorKind::Unavailable));
    assert_eq!(check(Purpose::Unlock), Ok(()));
    home.members[2].fail(ErrorKind::Cancelled);
    assert_eq!(check(Purpose::Unlock), Err(ErrorKind::Cancelled));
}

#[test]
fn a_revocation_reaches_every_member() {
    let home = Household::with_mistakes([0; 3]);
    let envelope = seal(&home.threshold(2));
    let params = envelope.header().slot.as_ref().unwrap().params().clone();
    let context = context();
    let op = Operation::new(Purpose::Revoke, &context);
    block_on(home.threshold(2).revoke(&op, &params)).unwrap();
    for member in &home.members {
        assert_eq!(member.revoked.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn a_revocation_without_all_members_at_hand_is_not_reported_done() {
    let home = Household::with_mistakes([0; 3]);
    let envelope = seal(&home.threshold(2));
    let params = envelope.header().slot.as_ref().unwrap().params().clone();
    let context = context();
    let op = Operation::new(Purpose::Revoke, &context);
    let error = block_on(home.threshold_of(2, &[1, 2]).revoke(&op, &params)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(home.members[2].revoked.load(Ordering::Relaxed), 1);
}

#[test]
fn a_threshold_has_one_to_eight_members_with_different_labels() {
    let members = |labels: &[&str]| -> Vec<(String, Arc<dyn BackupMethod>)> {
        let method = Arc::new(Forgetful::new("com.example.one", 0));
        labels.iter().map(|l| ((*l).to_owned(), Arc::clone(&method) as _)).collect()
    };
    let nine: Vec<_> = ["1", "2", "3", "4", "5", "6", "7", "8", "9"].into();
    let long = "x".repeat(65);
    for (required, labels) in
        [(0, &["a"][..]), (2, &["a"]), (1, &[]), (1, &nine), (1, &["a", "a"]), (1, &[&long])]
    {
        let error = Threshold::new(required, members(labels)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{required} of {labels:?}");
    }
    assert!(Threshold::new(8, members(&nine[..8])).is_ok());
}
