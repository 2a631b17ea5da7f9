//! The suites have teeth: each flaw is caught by the rules that are there for it, and by no others.

mod key_ring;
mod lockbox;
mod shelf;

use std::{
    cell::Cell,
    collections::BTreeSet,
    panic::{self, AssertUnwindSafe, catch_unwind},
    sync::Once,
};

use backup_testkit::{Rule, key_encryption, method, store};

mod flawless_method {
    backup_testkit::conformance!(crate::teeth::lockbox::World);
}

mod flawless_store {
    backup_testkit::key_store_conformance!(crate::teeth::shelf::Room);
}

mod flawless_provider {
    backup_testkit::key_encryption_conformance!(crate::teeth::key_ring::Hall);
}

/// One test per group of flaws, and one that every rule is there for some flaw.
macro_rules! caught {
    ($world:path, $rules:path, $flaws:path;
     $($group:ident { $($flaw:ident: $($rule:ident)+;)+ })+) => {
        use $flaws as Flaw;
        $(
            #[test]
            fn $group() {
                $(
                    let failed = super::broken(&$rules(), || <$world>::with(Flaw::$flaw));
                    let expected = std::collections::BTreeSet::from([$(stringify!($rule)),+]);
                    assert_eq!(failed, expected, "{:?}", Flaw::$flaw);
                )+
            }
        )+

        #[test]
        fn every_rule_catches_something() {
            let caught = std::collections::BTreeSet::from([$($($(stringify!($rule),)+)+)+]);
            let rules = $rules();
            let rules = rules.iter().map(|rule: &backup_testkit::Rule<$world>| rule.name());
            assert_eq!(caught, rules.collect());
        }
    };
}

/// The names of the rules that fail, each in a world of its own.
fn broken<F>(rules: &[Rule<F>], world: impl Fn() -> F) -> BTreeSet<&'static str> {
    expect_panics();
    EXPECTED.set(true);
    let fails = |rule: &&Rule<F>| {
        let world = world();
        catch_unwind(AssertUnwindSafe(|| rule.run(&world))).is_err()
    };
    let broken = rules.iter().filter(fails).map(Rule::name).collect();
    EXPECTED.set(false);
    broken
}

thread_local! {
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Hundreds of panics are expected here; their backtraces would take most of the time.
fn expect_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !EXPECTED.get() {
                report(info);
            }
        }));
    });
}

mod method_flaws {
    caught! {
        super::lockbox::World, super::method::rules, super::lockbox::Flaw;

        of_ids_and_keys {
            ChangesItsId:
                check_leaves_no_trace declining_changes_nothing declining_is_cancelled
                dropped_enrolment_does_no_damage dropped_inquiry_does_no_damage
                dropped_unlock_does_no_damage fixture_leaves_nothing_out keeps_its_id
                never_overwrites_an_earlier_enrolment never_says_done
                other_clients_backup_does_not_open other_clients_keys_are_not_revoked
                revoking_spares_other_enrolments says_when_the_user_is_waited_for
                works_behind_pointers;
            ReusesItsKey: enrolls_a_fresh_key_each_time parallel_enrolments_are_independent;
            SharesKeysWhenParallel: parallel_enrolments_are_independent;
            UnlocksOnce:
                dropped_enrolment_does_no_damage dropped_unlock_does_no_damage
                revoking_spares_other_enrolments right_secret_after_a_wrong_one_opens
                unlocks_on_a_new_device unlocks_the_same_key_again;
            ForgetsOnNewDevice:
                back_end_that_is_away_is_unavailable declining_changes_nothing
                dropped_enrolment_does_no_damage dropped_revocation_does_no_damage
                dropped_unlock_does_no_damage never_overwrites_an_earlier_enrolment
                parallel_enrolments_are_independent params_survive_an_envelope
                revoked_enrolment_does_not_unlock revoking_spares_other_enrolments
                right_secret_after_a_wrong_one_opens unlocks_on_a_new_device
                works_behind_pointers wrong_secret_is_unauthorized;
            Overwrites:
                dropped_enrolment_does_no_damage dropped_revocation_does_no_damage
                never_overwrites_an_earlier_enrolment parallel_enrolments_are_independent
                revoking_spares_other_enrolments;
        }

        of_parameters {
            KeyInParams: debug_shows_no_secret params_do_not_contain_a_secret;
            OtherErrorOnMalformedParams: malformed_params_are_one_error;
            PanicsOnMalformedParams:
                errors_show_no_secret logs_show_no_secret malformed_params_are_found_first
                malformed_params_are_one_error malformed_params_harm_nothing;
            AsksBeforeDecoding: malformed_params_are_found_first;
            ReachesOutBeforeDecoding: malformed_params_are_found_first;
            MalformedParamsDestroy: malformed_params_are_found_first malformed_params_harm_nothing;
        }

        of_users {
            AcceptsAnyPassword: wrong_secret_is_unauthorized;
            GivesNoSecondAttempt: right_secret_after_a_wrong_one_opens;
            SwallowsCancel: declining_is_cancelled;
            AsksAgainWhenDeclined: declining_is_cancelled;
            LeavesAKeyWhenDeclined: declining_changes_nothing;
            DoesNotReportWaiting: says_when_the_user_is_waited_for;
            DoesNotReportDeclining: says_when_the_user_is_waited_for;
            SaysDone: never_says_done;
        }

        of_revocation {
            RevokeFailsWhenAbsent:
                announced_params_revoke_what_is_left dropped_revocation_does_no_damage
                revoking_again_is_fine;
            RevokeDestroysAll: dropped_revocation_does_no_damage revoking_spares_other_enrolments;
            RevokeDoesNothing:
                announced_params_revoke_what_is_left back_end_that_is_away_is_unavailable
                dropped_revocation_does_no_damage held_params_revoke_what_is_held
                revoked_enrolment_does_not_unlock;
        }

        of_other_clients {
            OtherClientIsDamaged: other_clients_backup_does_not_open;
            HoldsOtherClientsKeys: other_clients_keys_are_not_held;
            RevokesOtherClientsKeys: other_clients_keys_are_not_revoked;
        }

        of_checks_and_outages {
            CheckRefuses: check_succeeds_when_enrolling_does futures_are_send;
            CheckAsks: check_asks_nobody;
            CheckLeavesATrace: check_leaves_no_trace dropped_inquiry_does_no_damage;
            CheckOverlooksOutage: check_fails_when_the_back_end_is_away;
            OutageLooksLikeLoss: back_end_that_is_away_is_unavailable;
            OutageLooksLikeNothingHeld: back_end_that_is_away_is_unavailable;
            OutageLooksRevoked: back_end_that_is_away_is_unavailable;
        }

        of_crashes {
            DoesNotAnnounce:
                announced_params_revoke_what_is_left announces_before_it_leaves_anything
                refused_announcement_leaves_nothing;
            AnnouncesTooLate:
                announced_params_revoke_what_is_left announces_before_it_leaves_anything
                refused_announcement_leaves_nothing;
            IgnoresTheJournal: refused_announcement_leaves_nothing;
            HeldIsNotRevocable: held_params_revoke_what_is_held;
            LosesEarlierWhenDropped: dropped_enrolment_does_no_damage;
            StaysBusyWhenUnlockIsDropped: dropped_unlock_does_no_damage;
            RevokesAllWhenDropped: dropped_revocation_does_no_damage;
        }

        of_secrets {
            KeyInDebug: debug_shows_no_secret;
            PasswordInDebug: debug_shows_no_secret;
            PasswordInError: errors_show_no_secret;
            PasswordInCause: errors_show_no_secret;
            LogsKey: logs_show_no_secret;
            TracesPassword: logs_show_no_secret;
        }

        of_the_fixture {
            FixtureSaysItDerives: fixture_leaves_nothing_out;
            FixtureHasNoDecliningUser: fixture_leaves_nothing_out;
        }
    }
}

mod store_flaws {
    caught! {
        super::shelf::Room, super::store::rules, super::shelf::Flaw;

        flaws {
            LosesAByte:
                delete_spares_other_names dropped_delete_leaves_all_or_nothing
                dropped_put_leaves_all_or_nothing dropped_reading_changes_nothing
                kept_on_a_new_device parallel_puts_have_one_winner put_again_is_fine put_creates
                put_never_overwrites store_that_is_away_is_unavailable;
            Overwrites: parallel_puts_have_one_winner put_never_overwrites;
            SaysThatItKeepsOthers: parallel_puts_have_one_winner put_never_overwrites;
            RefusesToRepeat: dropped_put_leaves_all_or_nothing put_again_is_fine;
            LooksThenPuts: parallel_puts_have_one_winner;
            ForgetsOnNewDevice:
                dropped_delete_leaves_all_or_nothing dropped_put_leaves_all_or_nothing
                dropped_reading_changes_nothing kept_on_a_new_device lists_what_it_keeps
                parallel_puts_have_one_winner put_never_overwrites;
            AbsentIsDamaged:
                delete_removes dropped_delete_leaves_all_or_nothing
                dropped_put_leaves_all_or_nothing get_of_nothing_is_not_found;
            DeleteFailsWhenAbsent:
                delete_spares_other_names deleting_nothing_is_fine
                dropped_delete_leaves_all_or_nothing;
            DeleteDestroysAll:
                delete_spares_other_names dropped_delete_leaves_all_or_nothing
                lists_what_it_keeps;
            DeleteDoesNothing:
                delete_removes dropped_delete_leaves_all_or_nothing lists_what_it_keeps;
            ListsNothing:
                dropped_put_leaves_all_or_nothing dropped_reading_changes_nothing
                lists_many_names lists_one_clients_names_only lists_what_it_keeps
                store_check_leaves_no_trace;
            ListsEverybody: lists_one_clients_names_only;
            ListsOnePage: lists_many_names;
            CheckLeavesATrace: dropped_reading_changes_nothing store_check_leaves_no_trace;
            OutageLooksEmpty: store_that_is_away_is_unavailable;
            PutsInTwoSteps: dropped_put_leaves_all_or_nothing;
            DeletesInTwoSteps: dropped_delete_leaves_all_or_nothing;
            TakesOutToRead: dropped_reading_changes_nothing;
            KeyInDebug: stored_keys_are_not_shown;
            LogsKey: stored_keys_are_not_shown;
        }
    }
}

mod provider_flaws {
    caught! {
        super::key_ring::Hall, super::key_encryption::rules, super::key_ring::Flaw;

        flaws {
            IgnoresContext: another_context_is_unauthorized;
            RunsFactsTogether: another_context_is_unauthorized;
            RefusesEmptyContext: unwraps_what_it_wrapped;
            WorksOnOneMachine: unwraps_on_another_machine;
            IsDeterministic: wraps_differently_each_time;
            KeyInTheOpen: wrapped_key_shows_no_secret;
            AnyKeyUnwraps: another_key_is_unauthorized;
            RefusalIsDamage:
                another_context_is_unauthorized another_key_is_unauthorized
                tampering_is_unauthorized;
            PanicsOnShort: tampering_is_unauthorized;
            IgnoresTheEnd: tampering_is_unauthorized;
            IdChanges: names_its_key;
            IdIsShared: names_its_key;
            OutageLooksLikeLoss: provider_that_is_away_is_unavailable;
            KeyInDebug: data_keys_are_not_shown;
            KeyInError: data_keys_are_not_shown;
            LogsKey: data_keys_are_not_shown;
        }
    }
}
