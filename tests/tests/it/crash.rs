//! The harness that counts lost wallets can count one: without any safeguard it counts some.

use std::path::Path;

#[cfg(feature = "keys")]
use portal_tests::crash::provider::Keys;
use portal_tests::crash::{
    campaign::{Campaign, Report},
    custodian::Way,
    safeguard::Safeguard,
    site::Store,
    sweep::{Mode, Side},
};

fn tried(scenario: &str, side: Side, mode: Mode, without: Option<Safeguard>) -> Report {
    let campaign = Campaign {
        scenario: vec![scenario.to_owned()],
        side: Some(side),
        mode: Some(mode),
        ed25519_only: true,
        without,
        every: 3,
        ..Campaign::default()
    };
    campaign.run_with(Path::new(env!("CARGO_BIN_EXE_portal-crash"))).unwrap()
}

fn tried_without(safeguard: Safeguard, scenario: &str, side: Side, mode: Mode) -> Report {
    tried(scenario, side, mode, Some(safeguard))
}

#[test]
fn with_all_safeguards_a_device_without_power_loses_no_wallet() {
    let report = tried("back-up-stored", Side::Device, Mode::Power, None);
    assert!(report.is_fine(), "{report}");
    assert!(report.worlds > 10, "{report}");
}

#[test]
fn with_all_safeguards_a_service_without_power_loses_no_wallet() {
    let report = tried("revoke", Side::Service, Mode::Power, None);
    assert!(report.is_fine(), "{report}");
    assert!(report.worlds > report.points, "{report}");
}

fn no_death_beside_loses_a_wallet(store: Store) {
    for scenario in ["back-up-stored", "enroll-anew-stored", "recover", "retire", "revoke"] {
        let campaign = Campaign {
            scenario: vec![scenario.to_owned()],
            side: Some(Side::Device),
            store,
            ed25519_only: true,
            every: 9,
            ..Campaign::default()
        };
        let report = campaign.run_with(Path::new(env!("CARGO_BIN_EXE_portal-crash"))).unwrap();
        assert!(report.is_fine() && report.points > 1, "{store:?}, {scenario}: {report}");
    }
}

#[test]
fn no_death_of_a_device_beside_a_double_of_drive_loses_a_wallet() {
    no_death_beside_loses_a_wallet(Store::Drive);
}

#[test]
fn no_death_of_a_device_beside_a_double_of_icloud_loses_a_wallet() {
    no_death_beside_loses_a_wallet(Store::Icloud);
}

#[test]
fn no_death_of_a_device_beside_its_keychain_loses_a_wallet() {
    no_death_beside_loses_a_wallet(Store::Keychain);
}

/// Some deaths of every side, in the operations that ask for keys or for a custodian.
fn no_death_loses_a_wallet(scenarios: &[&str], every: usize, campaign: Campaign) {
    let scenario = scenarios.iter().map(ToString::to_string).collect();
    let campaign = Campaign { scenario, every, ed25519_only: true, ..campaign };
    let report = campaign.run_with(Path::new(env!("CARGO_BIN_EXE_portal-crash"))).unwrap();
    assert!(report.is_fine() && report.points > 2, "{campaign:?}: {report}");
}

#[cfg(feature = "keys")]
#[test]
fn no_death_beside_a_kms_or_a_token_loses_a_wallet() {
    for keys in [Keys::AwsKms, Keys::Pkcs11] {
        let campaign = Campaign { keys, ..Campaign::default() };
        no_death_loses_a_wallet(&["first-start", "back-up-again", "recover"], 31, campaign);
    }
}

#[test]
fn no_death_of_a_custodian_or_beside_one_loses_a_wallet() {
    let custodian = Some(Way::Honest);
    let campaign = Campaign { custodian, ..Campaign::default() };
    let scenarios = ["back-up-stored", "enroll-anew-stored", "recover", "retire"];
    no_death_loses_a_wallet(&scenarios, 29, campaign);
    let side = Some(Side::Custodian);
    let campaign = Campaign { custodian, side, ..Campaign::default() };
    no_death_loses_a_wallet(&["back-up-again"], 2, campaign);
}

#[test]
fn no_custodian_that_overwrites_forgets_or_lies_costs_an_earlier_backup() {
    for way in [Way::Overwrites, Way::Forgets, Way::Lies] {
        let campaign = Campaign { custodian: Some(way), ..Campaign::default() };
        no_death_loses_a_wallet(&["enroll-anew-stored", "retire"], 23, campaign);
    }
}

#[test]
fn no_custodian_that_answers_late_costs_an_earlier_backup() {
    let campaign = Campaign { custodian: Some(Way::Late), jobs: 3, ..Campaign::default() };
    no_death_loses_a_wallet(&["back-up-again"], 17, campaign);
}

#[test]
fn an_eject_that_is_cut_short_loses_no_wallet_and_can_be_asked_for_again() {
    for scenario in ["eject", "eject-elsewhere"] {
        for side in [Side::Device, Side::Service] {
            let report = tried(scenario, side, Mode::Kill, None);
            assert!(report.is_fine() && report.points > 0, "{scenario}, {side:?}: {report}");
        }
    }
}

#[test]
fn a_backup_by_an_apps_word_that_is_cut_short_loses_no_wallet() {
    for side in [Side::Device, Side::Service] {
        let report = tried("back-up-by-notice", side, Mode::Kill, None);
        assert!(report.is_fine() && report.points > 3, "{side:?}: {report}");
    }
}

#[test]
fn a_device_that_does_not_sync_its_files_loses_wallets() {
    let report = tried_without(Safeguard::FileSync, "recover", Side::Device, Mode::Power);
    assert!(report.lost > 0, "{report}");
}

#[test]
fn a_device_that_does_not_sync_its_folder_loses_wallets() {
    let report = tried_without(Safeguard::FolderSync, "recover", Side::Device, Mode::Power);
    assert!(report.lost > 0, "{report}");
}

#[test]
fn a_device_that_has_its_share_confirmed_before_it_is_durable_loses_wallets() {
    let report = tried_without(Safeguard::DurableShare, "recover", Side::Device, Mode::Kill);
    assert!(report.lost > 0, "{report}");
}

#[test]
fn a_storing_method_that_does_not_sync_its_keys_loses_wallets() {
    let report = tried_without(Safeguard::KeySync, "back-up-stored", Side::Device, Mode::Power);
    assert!(report.lost > 0, "{report}");
}

#[test]
fn a_service_that_answers_before_its_commits_are_durable_loses_wallets() {
    let report = tried_without(Safeguard::CommitSync, "create", Side::Service, Mode::Power);
    assert!(report.lost > 0, "{report}");
}

#[test]
fn a_device_without_a_journal_leaves_behind_what_nobody_clears_away() {
    let report = tried_without(Safeguard::Journal, "back-up-stored", Side::Device, Mode::Kill);
    assert!(report.stuck > 0, "{report}");
}
