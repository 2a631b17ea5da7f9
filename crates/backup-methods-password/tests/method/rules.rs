//! What the method promises, through a slot, as an app uses it.

use backup_core::{
    BackupMethod, ErrorKind, MethodParams, Operation, Progress, Purpose, Sealer,
    secrecy::SecretString,
};
use backup_methods_password::{Cost, CostLimit, GivenPassword, Password, Policy, Problem, Refusal};
use proptest::prelude::*;

use crate::support::{
    self, Asked, Reports, Typist, block_on, cheap, context, envelope, method, params,
};

const RIGHT: &str = "anvil tundra quince";

#[test]
fn the_password_that_was_chosen_opens_the_backup() {
    let envelope = envelope(&method(&[RIGHT]));
    assert!(support::open(&envelope, &method(&[RIGHT]), 1).is_ok());
}

#[test]
fn however_it_is_typed_it_is_the_same_password() {
    let envelope = envelope(&method(&["crème brûlée"]));
    let decomposed = "cre\u{300}me\u{3000}bru\u{302}le\u{301}e";
    assert!(support::open(&envelope, &method(&[decomposed]), 1).is_ok());
}

#[test]
fn a_wrong_password_is_unauthorized_and_the_user_told_which_attempt_it_was() {
    let envelope = envelope(&method(&[RIGHT]));
    let typist = Typist::new(&["wrong horse battery", "Anvil tundra quince"]);
    let error = support::open(&envelope, &cheap(typist.clone()), 2).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    let expected = [Asked::to_enter(1, 2, None), Asked::to_enter(2, 2, Some(Problem::Wrong))];
    assert_eq!(typist.asked(), expected);
}

#[test]
fn a_mistyped_password_can_be_entered_again() {
    let envelope = envelope(&method(&[RIGHT]));
    assert!(support::open(&envelope, &method(&["anvil tundra quinze", RIGHT]), 3).is_ok());
}

#[test]
fn two_enrolments_with_one_password_have_different_keys() {
    let enroll = || {
        let context = context();
        block_on(method(&[RIGHT]).enroll(&Operation::new(Purpose::Enroll, &context))).unwrap()
    };
    let (a, b) = (enroll(), enroll());
    assert_ne!(a.params, b.params);
    assert_ne!(a.wrapping_key.expose(), b.wrapping_key.expose());
}

#[test]
fn a_refused_choice_is_asked_for_again_with_the_refusal() {
    let typist = Typist::new(&["short", "\t", RIGHT]);
    envelope(&cheap(typist.clone()));
    let too_short = Problem::Refused(Refusal::TooShort { minimum: 10 });
    let control = Problem::Refused(Refusal::Control { position: 1 });
    let expected = [
        Asked::to_choose(1, 3, None),
        Asked::to_choose(2, 3, Some(too_short)),
        Asked::to_choose(3, 3, Some(control)),
    ];
    assert_eq!(typist.asked(), expected);
}

#[test]
fn after_the_last_refused_choice_enrolling_fails_and_says_what_to_change() {
    let typist = Typist::new(&["short", "short", "short", RIGHT]);
    let context = context();
    let op = Operation::new(Purpose::Enroll, &context).with_attempts(3);
    let error = block_on(Sealer::enroll(&cheap(typist.clone()), &op)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "PASSWORD: use 10 or more characters");
    assert_eq!(typist.asked().len(), 3);
}

#[test]
fn what_no_policy_would_accept_today_still_opens_what_it_sealed() {
    let lenient = method(&["x7zq"]).with_policy(Policy::new().minimum_length(4));
    let envelope = envelope(&lenient);
    let strict = method(&["x7zq"]).with_policy(Policy::pin(8));
    assert!(support::open(&envelope, &strict, 1).is_ok());
}

#[test]
fn an_entry_that_is_no_password_is_asked_for_again_before_anything_is_derived() {
    let typist = Typist::new(&["", RIGHT]);
    unlock(&cheap(typist.clone()), &weak(), &Reports::default()).unwrap();
    let refused = Problem::Refused(Refusal::Empty);
    let expected = [Asked::to_enter(1, 3, None), Asked::to_enter(2, 3, Some(refused))];
    assert_eq!(typist.asked(), expected);
}

#[test]
fn a_user_who_declines_cancels() {
    for purpose in [Purpose::Enroll, Purpose::Unlock] {
        let (context, method) = (context(), method(&[]));
        let op = Operation::new(purpose, &context);
        let error = match purpose {
            Purpose::Enroll => block_on(method.enroll(&op)).map(drop).unwrap_err(),
            _ => block_on(method.unlock(&op, &weak())).map(drop).unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::Cancelled);
    }
}

#[test]
fn malformed_parameters_are_refused_before_the_user_is_asked() {
    for malformed in ["", "{}", "[]", r#"{"v":9}"#, "\u{0}"] {
        let malformed = MethodParams::from_bytes(malformed).unwrap();
        let typist = Typist::new(&[RIGHT]);
        let error = unlock(&cheap(typist.clone()), &malformed, &Reports::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParams);
        assert_eq!(typist.asked(), []);
    }
}

#[test]
fn weak_parameters_open_and_are_reported_once() {
    let reports = Reports::default();
    unlock(&method(&["", RIGHT]), &weak(), &reports).unwrap();
    let weak = reports.all().into_iter().filter(|report| *report == Progress::WeakParameters);
    assert_eq!(weak.count(), 1);
}

#[test]
fn parameters_that_are_chosen_today_are_not_weak() {
    let reports = Reports::default();
    unlock(&method(&[RIGHT]), &params(64 * 1024, 3, 4), &reports).unwrap();
    assert!(!reports.all().contains(&Progress::WeakParameters));
}

#[test]
fn progress_says_when_the_user_is_waited_for() {
    let reports = Reports::default();
    unlock(&method(&[RIGHT]), &params(64 * 1024, 3, 4), &reports).unwrap();
    assert_eq!(reports.all()[..2], [Progress::WaitingForUser, Progress::UserAnswered]);
}

#[test]
fn parameters_beyond_the_limit_are_refused_before_the_user_is_asked() {
    for (memory_kib, passes) in [(u32::MAX, 1), (8, u32::MAX), (524_289, 1), (524_288, 5)] {
        let typist = Typist::new(&[RIGHT]);
        let params = params(memory_kib, passes, 1);
        let error = unlock(&cheap(typist.clone()), &params, &Reports::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooCostly, "{memory_kib} KiB, {passes} passes");
        assert_eq!(typist.asked(), []);
    }
}

#[test]
fn the_app_can_raise_the_limit_and_lower_it() {
    let raised = CostLimit { memory_kib: 1024, kib_passes: 64 };
    let lowered = CostLimit { memory_kib: 63, kib_passes: 64 };
    let unlock_within = |limit| {
        let method = method(&[RIGHT]).dangerously_allow_cost(limit);
        unlock(&method, &params(64, 1, 1), &Reports::default())
    };
    assert!(unlock_within(raised).is_ok());
    assert_eq!(unlock_within(lowered).unwrap_err().kind(), ErrorKind::TooCostly);
}

#[test]
fn the_cost_that_was_chosen_stands_in_the_parameters() {
    let context = context();
    let cost = Cost::new(65_536, 4, 2).unwrap();
    let method = Password::new(Typist::new(&[RIGHT])).with_cost(cost);
    let enrollment = block_on(method.enroll(&Operation::new(Purpose::Enroll, &context))).unwrap();
    let json: serde_json::Value = serde_json::from_slice(enrollment.params.as_bytes()).unwrap();
    assert_eq!(
        (&json["memory_kib"], &json["passes"], &json["lanes"]),
        (&65_536.into(), &4.into(), &2.into())
    );
}

#[test]
fn checking_and_revoking_ask_nothing_and_there_is_nothing_held() {
    let typist = Typist::new(&[]);
    let (context, method) = (context(), cheap(typist.clone()));
    let op = Operation::new(Purpose::Revoke, &context);
    block_on(async {
        method.check(&op).await.unwrap();
        method.revoke(&op, &weak()).await.unwrap();
        method.revoke(&op, &params(u32::MAX, 1, 1)).await.unwrap();
        assert_eq!(method.held(&op).await.unwrap(), []);
        let malformed = MethodParams::from_bytes("{}").unwrap();
        let error = method.revoke(&op, &malformed).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParams);
    });
    assert_eq!(typist.asked(), []);
}

#[test]
fn a_given_password_is_given_once() {
    let given = |password: &str| GivenPassword::new(SecretString::from(password));
    let envelope = envelope(&Password::new(given(RIGHT)).with_cost(Cost::LEAST));
    let error = support::open(&envelope, &Password::new(given("wrong horse")), 3).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);

    let context = context();
    let op = Operation::new(Purpose::Enroll, &context);
    let error = block_on(Password::new(given("short")).enroll(&op)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn neither_the_method_nor_its_errors_print_a_password() {
    let method = Password::new(GivenPassword::new(SecretString::from("hunter2")));
    assert!(!format!("{method:?}").contains("hunter2"));
    let context = context();
    let error = block_on(method.enroll(&Operation::new(Purpose::Enroll, &context))).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

proptest! {
    /// Whatever parameters say, the user is asked only where the work is within the limit.
    #[test]
    fn no_parameters_cost_more_than_the_limit(memory_kib: u32, passes: u32, lanes in 0..9_u32) {
        let params = params(memory_kib, passes, lanes);
        let error = unlock(&method(&[]), &params, &Reports::default()).unwrap_err();
        let limit = CostLimit::DEFAULT;
        let within = memory_kib <= limit.memory_kib
            && u64::from(memory_kib) * u64::from(passes) <= limit.kib_passes;
        let expected = match error.kind() {
            ErrorKind::Cancelled => within,
            ErrorKind::TooCostly => !within,
            ErrorKind::InvalidParams => passes == 0 || lanes == 0 || memory_kib < 8 * lanes,
            _ => false,
        };
        prop_assert!(expected, "{error}");
    }
}

fn unlock(method: &Password, params: &MethodParams, reports: &Reports) -> backup_core::Result<()> {
    let context = context();
    let sink = |progress| reports.push(progress);
    let op = Operation::new(Purpose::Unlock, &context).with_progress(&sink);
    block_on(method.unlock(&op, params)).map(drop)
}

/// What opens within a millisecond.
fn weak() -> MethodParams {
    params(64, 1, 1)
}
