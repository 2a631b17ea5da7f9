//! Backups in a real keychain, and devices whose key is there.
#![cfg(all(target_os = "linux", feature = "keychain"))]

use backup_testkit::SessionBus;

use crate::support::world::World;

const PASSWORD: &str = "the login password";
const SIGN: [&str; 6] = ["wallet", "sign", "--curve", "ed25519", "--message", "hello"];

#[test]
fn a_wallet_is_backed_up_in_the_keychain_and_comes_back_on_a_new_device() {
    let bus = SessionBus::enter();
    let home = tempfile::tempdir().unwrap();
    let _keyring = bus.keyring(home.path(), PASSWORD);
    let world = World::start();
    let client = world.new_client("old");
    let made = world.json("old", &["wallet", "create"]);
    let first = world.json("old", &["backup", "--method", "keychain"]);
    assert_eq!(first["method"], "portal.keychain");
    assert_eq!((&first["enrolled"], &first["proved"]), (&true.into(), &true.into()));
    let second = world.json("old", &["backup", "--method", "keychain"]);
    assert_eq!((&second["enrolled"], &second["proved"]), (&false.into(), &true.into()));

    let api_key = std::fs::read_to_string(world.path("old").join("api-key")).unwrap();
    world.write("api-key", &api_key);
    world.import_client("new", &client, "api-key");
    let recovered = world.json("new", &["recover", "--method", "keychain"]);
    assert_eq!(recovered["addresses"], made["addresses"]);
    world.json("new", &SIGN);

    world.json("new", &["backup", "--password-file", "password"]);
    assert_eq!(
        world.json("new", &["backup", "revoke", "--method", "keychain"])["revoked"],
        "portal.keychain"
    );
    let sets = world.json("new", &["status"])["backups"].clone();
    assert!(sets.as_array().unwrap().iter().all(|set| set["method"] == "PASSWORD"), "{sets}");
}

#[test]
fn a_device_whose_key_is_in_the_keychain_signs_with_it_and_not_without() {
    let bus = SessionBus::enter();
    let home = tempfile::tempdir().unwrap();
    let keyring = bus.keyring(home.path(), PASSWORD);
    let world = World::start();
    let key_file = world.custodian_key_file.to_str().unwrap();
    let new = ["client", "new", "--service", &world.url, "--custodian-key-file", key_file];
    world.json("one", &[&new[..], &["--device-key-in-keychain"]].concat());
    assert!(!world.path("one").join("device-key").exists(), "the key is in the folder, too");
    world.json("one", &["wallet", "create"]);
    world.json("one", &SIGN);

    drop(keyring);
    let ran = world.run("one", &SIGN);
    assert_eq!(ran.code, Some(4), "{}", ran.said());
    assert!(ran.stderr.contains("no keychain runs"), "{}", ran.stderr);
    let _keyring = bus.keyring(home.path(), PASSWORD);
    world.json("one", &SIGN);
    world.json("one", &["backup", "--method", "keychain"]);
    world.json("one", &["backup", "--password-file", "password"]);
    world.json("one", &["backup", "revoke", "--method", "keychain"]);
    world.json("one", &SIGN);
}

#[test]
fn without_a_keychain_no_profile_is_made() {
    let _bus = SessionBus::enter();
    let world = World::start();
    let key_file = world.custodian_key_file.to_str().unwrap();
    let new = ["client", "new", "--service", &world.url, "--custodian-key-file", key_file];
    let ran = world.run("one", &[&new[..], &["--device-key-in-keychain"]].concat());
    assert_eq!(ran.code, Some(4), "{}", ran.said());
    assert!(!world.path("one").exists());
}
