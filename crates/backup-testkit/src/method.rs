//! The rules for a [`BackupMethod`](backup_core::BackupMethod), one function each.
//!
//! [`conformance!`](crate::conformance) makes a test of each. Every rule is tried in a fresh world
//! of a [`Fixture`], and judges through a slot where a method alone cannot know better.

mod checks;
mod clients;
mod crashes;
mod fixture;
mod keys;
mod params;
mod revocation;
mod secrecy;
mod tapped;
mod traces;
mod users;

pub use self::{
    checks::*, clients::*, crashes::*, fixture::Fixture, keys::*, params::*, revocation::*,
    secrecy::*, users::*,
};
use crate::Rule;

/// Calls `$callback! { { $args } ; rule rule … }` with every rule for methods.
#[doc(hidden)]
#[macro_export]
macro_rules! __method_rules {
    ($callback:path { $($args:tt)* }) => {
        $callback! {
            { $($args)* };
            keeps_its_id
            enrolls_a_fresh_key_each_time
            unlocks_the_same_key_again
            unlocks_on_a_new_device
            never_overwrites_an_earlier_enrolment
            parallel_enrolments_are_independent
            works_behind_pointers
            futures_are_send
            params_survive_an_envelope
            params_do_not_contain_a_secret
            malformed_params_are_one_error
            malformed_params_are_found_first
            malformed_params_harm_nothing
            fixture_leaves_nothing_out
            wrong_secret_is_unauthorized
            right_secret_after_a_wrong_one_opens
            declining_is_cancelled
            declining_changes_nothing
            says_when_the_user_is_waited_for
            never_says_done
            revoked_enrolment_does_not_unlock
            revoking_again_is_fine
            revoking_spares_other_enrolments
            other_clients_backup_does_not_open
            other_clients_keys_are_not_held
            other_clients_keys_are_not_revoked
            check_succeeds_when_enrolling_does
            check_asks_nobody
            check_leaves_no_trace
            check_fails_when_the_back_end_is_away
            back_end_that_is_away_is_unavailable
            announces_before_it_leaves_anything
            refused_announcement_leaves_nothing
            announced_params_revoke_what_is_left
            held_params_revoke_what_is_held
            dropped_enrolment_does_no_damage
            dropped_unlock_does_no_damage
            dropped_revocation_does_no_damage
            dropped_inquiry_does_no_damage
            debug_shows_no_secret
            errors_show_no_secret
            logs_show_no_secret
        }
    };
}

/// Makes one test per rule for the method of a [`Fixture`].
///
/// ```
/// struct MyFixture;
/// # impl backup_testkit::Fixture for MyFixture {
/// #     type Method = backup_testkit::backup_core::StoredKey<backup_testkit::MemoryStore>;
/// #     fn new() -> Self { Self }
/// #     fn method(&self) -> Self::Method {
/// #         backup_testkit::backup_core::StoredKey::new(backup_testkit::MemoryStore::new())
/// #     }
/// #     fn stores(&self) -> bool { true }
/// # }
///
/// mod my_method {
///     backup_testkit::conformance!(super::MyFixture);
/// }
/// ```
#[macro_export]
macro_rules! conformance {
    ($fixture:ty) => {
        $crate::__method_rules! {
            $crate::__tests { $fixture; $crate::Fixture; $crate::method }
        }
    };
}

/// Every rule for methods, by name: for a harness of one's own.
#[must_use]
pub fn rules<F: Fixture>() -> Vec<Rule<F>> {
    __method_rules! { crate::__list { F } }
}
