//! The service is backed up and restored by the commands that its operator's documents name.
#![cfg(unix)]

use std::{fs, path::Path, process::Command};

use crate::support::world::{FREE_PORT, World, portal};

const BACKUP: [&str; 3] = ["backup", "--password-file", "password"];
const RECOVER: [&str; 3] = ["recover", "--password-file", "password"];
const SIGN: [&str; 6] = ["wallet", "sign", "--curve", "ed25519", "--message", "hello"];

/// As `docs/operations.md` has it, while the service runs.
fn copy_database(folder: &Path) {
    let mut sqlite = Command::new("sqlite3");
    sqlite.arg("service/portal.db").arg("VACUUM INTO 'copy.db'").current_dir(folder);
    let status = sqlite.status().expect("this test needs sqlite3: run `cargo xtask setup`");
    assert!(status.success());
}

/// All that the database of a data folder holds.
fn rows(data: &Path) -> Vec<u8> {
    let dumped = Command::new("sqlite3").arg(data.join("portal.db")).arg(".dump").output().unwrap();
    assert!(dumped.status.success() && dumped.stdout.len() > 1000);
    dumped.stdout
}

/// A machine that has nothing but the copy and the key.
fn restore(folder: &Path) {
    fs::rename(folder.join("service"), folder.join("lost")).unwrap();
    fs::create_dir(folder.join("service")).unwrap();
    fs::copy(folder.join("copy.db"), folder.join("service/portal.db")).unwrap();
    fs::copy(folder.join("lost/custody.key"), folder.join("service/custody.key")).unwrap();
}

#[test]
fn a_copy_that_was_made_while_the_service_ran_signs_and_recovers_when_all_else_is_lost() {
    let mut world = World::start();
    let client = world.new_client("old");
    let made = world.json("old", &["wallet", "create"]);
    let copied = world.json("old", &BACKUP);
    fs::copy(world.path("old").join("api-key"), world.path("api-key")).unwrap();
    copy_database(world.folder.path());
    let since = world.json("old", &BACKUP);

    assert_eq!(world.stop_service(), Some(0));
    restore(world.folder.path());
    world.restart_service();
    let data = world.path("service");
    let verified = portal().args(["admin", "custody", "verify", "--data"]).arg(data).status();
    assert!(verified.unwrap().success());

    world.json("old", &SIGN);
    let backups = world.json("old", &["backups", "list"])["backups"].clone();
    let ids: Vec<_> = backups.as_array().unwrap().iter().map(|backup| &backup["id"]).collect();
    assert_eq!(ids, [&copied["backup"]], "{since} was made after the copy");
    world.import_client("new", &client, "api-key");
    let recovered = world.json("new", &RECOVER);
    assert_eq!(recovered["addresses"], made["addresses"]);
    world.json("new", &SIGN);
}

#[test]
fn a_device_that_recovered_after_the_copy_was_made_recovers_again() {
    let mut world = World::start();
    let client = world.new_client("old");
    world.json("old", &["wallet", "create"]);
    world.json("old", &BACKUP);
    fs::copy(world.path("old").join("api-key"), world.path("api-key")).unwrap();
    world.import_client("new", &client, "api-key");
    copy_database(world.folder.path());
    world.json("new", &RECOVER);

    assert_eq!(world.stop_service(), Some(0));
    restore(world.folder.path());
    world.restart_service();
    let ran = world.run("new", &SIGN);
    assert_ne!(ran.code, Some(0), "{}", ran.said());
    world.json("new", &RECOVER);
    world.json("new", &SIGN);
}

#[test]
fn a_copy_without_its_key_does_not_start_and_stays_as_it_is() {
    let mut world = World::start();
    world.new_client("old");
    copy_database(world.folder.path());
    assert_eq!(world.stop_service(), Some(0));
    restore(world.folder.path());
    let data = world.path("service");
    fs::remove_file(data.join("custody.key")).unwrap();
    let before = rows(&data);
    let ended = portal()
        .args(["serve", "--until-stdin-closes", "--listen", FREE_PORT, "--data"])
        .arg(&data)
        .output()
        .unwrap();
    assert_ne!(ended.status.code(), Some(0));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("custody.key"), "{said}");
    assert!(rows(&data) == before, "the copy has changed");
    assert!(!data.join("custody.key").exists(), "a new key was made");

    fs::copy(world.path("lost").join("custody.key"), data.join("custody.key")).unwrap();
    world.restart_service();
    assert_eq!(world.run("old", &["status"]).code, Some(0));
}
