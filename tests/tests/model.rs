//! Every order of what two devices, the service, a user and time can do, within bounds, by the
//! rules that the code uses: none loses a wallet. With one rule left out, one does.
//!
//! The rules of `portal_server::lifecycle` and `portal_client::device` are called as they are. How
//! the device goes about it is written down a second time, in `model/device.rs` and
//! `model/signing.rs`, as is what the service does with its rules, in `model/service.rs`. Not in
//! the model are: cryptography, curves apart from each other, sessions between their two posts but
//! for recovery, the disk, a service that lies or is set back, and whoever steals a key. That
//! devices and service do what the model says of them is seen where both run side by side, in
//! `model/orders.rs`.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

#[path = "model/device.rs"]
mod device;
#[path = "model/orders.rs"]
mod orders;
#[path = "model/properties.rs"]
mod properties;
#[path = "model/rules.rs"]
mod rules;
#[path = "model/seen.rs"]
mod seen;
#[path = "model/service.rs"]
mod service;
#[path = "model/settled.rs"]
mod settled;
#[path = "model/signing.rs"]
mod signing;
#[path = "model/wallet.rs"]
mod wallet;
#[path = "model/without.rs"]
mod without;
#[path = "model/world.rs"]
mod world;

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use stateright::{Checker, HasDiscoveries, Model};

use self::{
    orders::{run_beside_the_model, short_orders, some_order},
    properties::{ALWAYS, KEPT, KEY_KEPT, PROVED, RECOVERABLE, SHARE_HELD},
    rules::Rules,
    seen::Seen,
    wallet::{Bounds, Wallet},
};

const ONE_DEVICE: Bounds =
    Bounds { methods: 1, sets: 2, sets_by_others: 0, keys: 1, erasures: 0, is_late: true };

/// With this variable, whatever is to hold is tried within larger bounds, which takes minutes.
const LARGER: &str = "PORTAL_MODEL_LARGER";

#[test]
fn recoveries_on_two_devices_and_late_requests_lose_no_wallet() {
    let bounds = Bounds { keys: 3, ..ONE_DEVICE };
    checked(bounds, Bounds { sets_by_others: 1, ..bounds }).assert_properties();
}

#[test]
fn backups_by_two_devices_and_another_app_lose_no_wallet() {
    let bounds = Bounds { sets_by_others: 1, keys: 2, ..ONE_DEVICE };
    checked(bounds, Bounds { sets: 3, is_late: false, ..bounds });
}

#[test]
fn backups_by_two_methods_and_late_requests_lose_no_wallet() {
    let bounds = Bounds { methods: 2, sets_by_others: 1, ..ONE_DEVICE };
    checked(bounds, Bounds { sets: 3, ..bounds });
}

#[test]
fn two_methods_and_two_devices_lose_no_wallet() {
    let bounds = Bounds { methods: 2, keys: 2, is_late: false, ..ONE_DEVICE };
    checked(bounds, Bounds { sets_by_others: 1, is_late: true, ..bounds });
}

#[test]
fn recoveries_and_an_erased_device_lose_no_wallet() {
    let bounds = Bounds { sets: 1, keys: 3, erasures: 1, ..ONE_DEVICE };
    checked(bounds, Bounds { sets: 2, ..bounds });
}

#[test]
fn a_wallet_is_lost_if_a_set_retires_for_one_that_was_never_seen_to_work() {
    loses(without::waiting_for_proof(), ONE_DEVICE, RECOVERABLE);
}

#[test]
fn a_wallet_is_lost_if_a_set_is_proved_whose_slot_was_never_opened() {
    loses(without::proof_by_opening(), ONE_DEVICE, RECOVERABLE);
}

#[test]
fn a_wallet_is_lost_if_a_backup_is_finished_whose_trial_was_not() {
    loses(without::waiting_for_the_trial(), ONE_DEVICE, RECOVERABLE);
}

#[test]
fn a_wallet_is_lost_if_a_commit_does_not_compare_the_head() {
    let bounds = Bounds { sets: 3, sets_by_others: 1, ..ONE_DEVICE };
    loses(without::comparison_of_the_head(), bounds, RECOVERABLE);
}

#[test]
fn a_wallet_is_lost_if_a_pending_set_is_not_displaced() {
    let bounds = Bounds { sets: 3, sets_by_others: 1, ..ONE_DEVICE };
    loses(without::displacing(), bounds, RECOVERABLE);
}

#[test]
fn a_wallet_is_lost_if_a_completed_set_can_be_dropped() {
    loses(without::keeping_completed_sets_from_being_dropped(), ONE_DEVICE, RECOVERABLE);
}

#[test]
fn a_wallet_is_lost_if_a_completed_set_expires() {
    loses(without::keeping_completed_sets_from_expiring(), ONE_DEVICE, RECOVERABLE);
}

#[test]
fn no_proved_set_is_left_if_the_last_one_can_be_revoked() {
    loses(without::keeping_the_last_proved_set(), ONE_DEVICE, PROVED);
}

#[test]
fn a_live_share_is_lost_if_a_confirmation_does_not_compare_the_live_set() {
    let bounds = Bounds { sets: 1, keys: 3, erasures: 1, ..ONE_DEVICE };
    loses(without::compare_and_swap_of_signing_sets(), bounds, SHARE_HELD);
}

#[test]
fn a_live_share_is_lost_if_a_device_drops_one_whose_confirmation_is_on_the_way() {
    let bounds = Bounds { sets: 1, keys: 2, ..ONE_DEVICE };
    loses(without::keeping_an_unconfirmed_share(), bounds, SHARE_HELD);
}

#[test]
fn a_live_share_is_lost_if_a_device_drops_one_whose_confirmation_it_has_not_heard_of() {
    let bounds = Bounds { sets: 1, keys: 2, ..ONE_DEVICE };
    loses(without::asking_whether_it_is_live(), bounds, SHARE_HELD);
}

#[test]
fn a_user_is_told_a_lie_if_a_backup_is_concluded_before_the_service_has_committed_it() {
    loses(without::waiting_for_the_commit(), ONE_DEVICE, KEPT);
}

#[test]
fn a_needed_key_is_destroyed_if_a_backup_is_rolled_back_that_may_be_committed() {
    let bounds = Bounds { keys: 2, ..ONE_DEVICE };
    loses(without::leaving_what_may_be_committed(), bounds, KEY_KEPT);
}

#[test]
fn a_needed_key_is_destroyed_if_a_roll_back_destroys_it_before_the_journal_is_cleared() {
    loses(without::clearing_the_journal_first(), ONE_DEVICE, KEY_KEPT);
}

#[test]
fn a_needed_key_is_destroyed_if_a_backup_is_finished_and_its_removal_not_withdrawn() {
    loses(without::keeping_what_was_finished(), ONE_DEVICE, KEY_KEPT);
}

#[test]
fn a_needed_key_is_destroyed_if_a_revocation_destroys_it_before_the_service_agrees() {
    loses(without::revoking_sets_first(), ONE_DEVICE, KEY_KEPT);
}

#[test]
fn a_needed_key_is_destroyed_if_a_device_does_not_look_for_envelopes_of_it() {
    loses(without::keeping_needed_keys(), ONE_DEVICE, KEY_KEPT);
}

#[test]
fn every_short_order_of_two_devices_does_over_real_sockets_what_the_model_says() {
    run_beside_the_model(short_orders());
}

#[test]
fn longer_orders_of_two_devices_do_over_real_sockets_what_the_model_says() {
    let mut runner = TestRunner::deterministic();
    let orders = (0..40).map(|_| some_order().new_tree(&mut runner).unwrap().current());
    run_beside_the_model(orders.collect());
}

/// Tries every order; the properties that always hold did.
fn checked(bounds: Bounds, larger: Bounds) -> impl Checker<Wallet> {
    let bounds = if std::env::var_os(LARGER).is_some() { larger } else { bounds };
    let wallet = Wallet { rules: Rules::real(), bounds, seen: Seen::default() };
    let checker = wallet.checker().spawn_bfs().join();
    println!("{bounds:?}: {} states, {} deep", checker.unique_state_count(), checker.max_depth());
    for property in ALWAYS {
        checker.assert_no_discovery(property);
    }
    checker
}

/// Some order breaks the property.
fn loses(rules: Rules, bounds: Bounds, property: &'static str) {
    let wallet = Wallet { rules, bounds, seen: Seen::default() };
    let first = HasDiscoveries::AnyOf([property].into());
    let checker = wallet.checker().finish_when(first).spawn_bfs().join();
    println!("{:#?}", checker.assert_any_discovery(property).into_actions());
}
