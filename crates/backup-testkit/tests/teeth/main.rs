//! The suites have teeth: each flaw is caught, by the rules that are there for it and no others.

mod lockbox;

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

use backup_testkit::{Rule, method};

use self::lockbox::{Flaw, World};

mod flawless {
    backup_testkit::conformance!(super::World);
}

#[test]
fn probe() {
    for flaw in ALL {
        println!("{flaw:?} => {:#?}", broken(&method::rules(), || World::with(*flaw)));
    }
}

/// The names of the rules that fail, each in a world of its own.
fn broken<F>(rules: &[Rule<F>], world: impl Fn() -> F) -> BTreeSet<&'static str> {
    let fails = |rule: &&Rule<F>| {
        let world = world();
        catch_unwind(AssertUnwindSafe(|| rule.run(&world))).is_err()
    };
    rules.iter().filter(fails).map(Rule::name).collect()
}
const ALL: &[Flaw] = &[
    Flaw::None,
    Flaw::ChangesItsId,
    Flaw::ReusesItsKey,
    Flaw::SharesKeysWhenParallel,
    Flaw::UnlocksOnce,
    Flaw::ForgetsOnNewDevice,
    Flaw::Overwrites,
    Flaw::KeyInParams,
    Flaw::OtherErrorOnMalformedParams,
    Flaw::PanicsOnMalformedParams,
    Flaw::AsksBeforeDecoding,
    Flaw::ReachesOutBeforeDecoding,
    Flaw::MalformedParamsDestroy,
    Flaw::AcceptsAnyPassword,
    Flaw::GivesNoSecondAttempt,
    Flaw::SwallowsCancel,
    Flaw::AsksAgainWhenDeclined,
    Flaw::LeavesAKeyWhenDeclined,
    Flaw::DoesNotReportWaiting,
    Flaw::DoesNotReportDeclining,
    Flaw::SaysDone,
    Flaw::RevokeFailsWhenAbsent,
    Flaw::RevokeDestroysAll,
    Flaw::RevokeDoesNothing,
    Flaw::OtherClientIsDamaged,
    Flaw::HoldsOtherClientsKeys,
    Flaw::RevokesOtherClientsKeys,
    Flaw::CheckRefuses,
    Flaw::CheckAsks,
    Flaw::CheckLeavesATrace,
    Flaw::CheckOverlooksOutage,
    Flaw::OutageLooksLikeLoss,
    Flaw::OutageLooksLikeNothingHeld,
    Flaw::OutageLooksRevoked,
    Flaw::DoesNotAnnounce,
    Flaw::AnnouncesTooLate,
    Flaw::IgnoresTheJournal,
    Flaw::HeldIsNotRevocable,
    Flaw::LosesEarlierWhenDropped,
    Flaw::StaysBusyWhenUnlockIsDropped,
    Flaw::RevokesAllWhenDropped,
    Flaw::KeyInDebug,
    Flaw::PasswordInDebug,
    Flaw::PasswordInError,
    Flaw::PasswordInCause,
    Flaw::LogsKey,
    Flaw::TracesPassword,
    Flaw::FixtureSaysItDerives,
    Flaw::FixtureHasNoDecliningUser,
];
