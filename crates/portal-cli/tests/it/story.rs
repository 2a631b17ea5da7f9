//! What a user does, command by command, against a real service.

use std::{fs, io};

use serde_json::Value;

use crate::support::world::{PASSWORD, WRONG, World};

#[test]
fn a_wallet_is_made_backed_up_lost_and_recovered_and_signs_again() {
    let world = World::start();
    let client = world.new_client("old");
    let made = world.json("old", &["wallet", "create"]);
    let digest = "5a".repeat(32);
    let sign = ["wallet", "sign", "--curve", "secp256k1", "--digest", &digest];
    assert_eq!(world.json("old", &sign)["signature"].as_str().unwrap().len(), 130);

    let first = world.json("old", &["backup", "--password-file", "password"]);
    assert_eq!((&first["enrolled"], &first["proved"]), (&true.into(), &true.into()));
    let second = world.json("old", &["backup"]);
    assert_eq!((&second["enrolled"], &second["proved"]), (&false.into(), &true.into()));

    lose(&world, "old");
    world.import_client("new", &client, "api-key");
    let before = world.json("new", &["status"]);
    assert_eq!(before["live"], false);
    assert_eq!(before["addresses"], Value::Null);
    assert_eq!(before["serviceAddresses"], made["addresses"]);

    let recovered = world.json("new", &["recover", "--password-file", "password"]);
    assert_eq!(recovered["addresses"], made["addresses"]);
    assert_eq!(recovered["backup"], second["backup"]);
    let sign = ["wallet", "sign", "--curve", "ed25519", "--message", "hello"];
    assert_eq!(world.json("new", &sign)["signature"].as_str().unwrap().len(), 128);

    let after = world.json("new", &["status"]);
    assert_eq!(after["live"], true);
    assert_eq!(after["addresses"], made["addresses"]);
    let ids: Vec<_> = after["backups"].as_array().unwrap().iter().map(|set| &set["id"]).collect();
    assert_eq!(ids, [&second["backup"], &first["backup"]]);
}

#[test]
fn whoever_stops_to_read_what_is_told_on_the_way_stops_nothing() {
    let world = World::start();
    world.new_client("old");
    for arguments in [&["wallet", "create"][..], &["backup", "--password-file", "password"]] {
        let (nobody, told) = io::pipe().unwrap();
        drop(nobody);
        let status = world.command("old", arguments).stderr(told).status().unwrap();
        assert_eq!(status.code(), Some(0), "{arguments:?}");
    }
    let (nobody, told) = io::pipe().unwrap();
    drop(nobody);
    let refused = world.command("new", &["backup"]).stderr(told).status().unwrap();
    assert_eq!(refused.code(), Some(5));
}

#[test]
fn superseded_backups_are_listed_and_removed_only_when_somebody_said_yes() {
    let (world, _) = backed_up();
    let first = world.json("old", &["backups", "list"])["backups"][0].clone();
    assert!(first["size"].as_u64().unwrap() > 100, "{first}");
    assert_eq!((&first["place"], &first["superseded"]), (&"service".into(), &false.into()));
    assert_eq!(world.json("old", &["backups", "remove"])["removed"], Value::Array(vec![]));
    let newer = world.json("old", &["backup"]);
    let listed = world.json("old", &["backups", "list"])["backups"].clone();
    assert_eq!((&listed[0]["id"], &listed[1]["superseded"]), (&newer["backup"], &true.into()));
    let ran = world.run("old", &["backups", "remove"]);
    assert_eq!(ran.code, Some(2), "{}", ran.said());
    assert!(ran.stderr.contains("--yes"), "{}", ran.stderr);
    let removed = world.json("old", &["backups", "remove", "--yes"]);
    assert_eq!(removed["removed"], Value::Array(vec![first["id"].clone()]));
    assert_eq!(world.json("old", &["status"])["backups"].as_array().unwrap().len(), 1);
}

#[test]
fn a_wrong_password_exits_with_3_and_another_wallet_than_expected_with_5() {
    let (world, client) = backed_up();
    world.import_client("new", &client, "api-key");
    let ran = world.run("new", &["recover", "--password-file", "wrong", "--json"]);
    assert_eq!((ran.code, ran.error_kind().as_str()), (Some(3), "unauthorized"), "{}", ran.said());

    let other = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";
    let recover = ["recover", "--expect", other, "--password-file", "password", "--json"];
    let ran = world.run("new", &recover);
    assert_eq!((ran.code, ran.error_kind().as_str()), (Some(5), "state"), "{}", ran.said());
}

#[test]
fn the_device_that_was_replaced_exits_with_5_and_says_what_to_do() {
    let (world, client) = backed_up();
    let known = world.json("old", &["wallet", "show"]);
    world.import_client("new", &client, "api-key");
    let address = known["addresses"]["ethereum"].as_str().unwrap().to_lowercase();
    let recover = ["recover", "--expect", &address, "--password-file", "password"];
    assert_eq!(world.run("new", &recover).code, Some(0));
    let ran = world.run("old", &["wallet", "sign", "--curve", "ed25519", "--message", "hello"]);
    assert_eq!(ran.code, Some(5), "{}", ran.said());
    assert!(ran.stderr.contains("recover"), "{}", ran.stderr);
    assert_eq!(world.json("old", &["status"])["live"], false);
}

#[test]
fn commands_out_of_order_exit_with_5() {
    let world = World::start();
    let ran = world.run("none", &["wallet", "show"]);
    assert_eq!(ran.code, Some(5), "{}", ran.said());
    assert!(ran.stderr.contains("portal client new"), "{}", ran.stderr);
    world.new_client("one");
    for arguments in [&["wallet", "show"][..], &["backup", "--password-file", "password"]] {
        let ran = world.run("one", arguments);
        assert_eq!(ran.code, Some(5), "{arguments:?}: {}", ran.said());
    }
    world.json("one", &["wallet", "create"]);
    assert_eq!(world.run("one", &["wallet", "create"]).code, Some(5));
    assert_eq!(world.run("one", &["recover", "--password-file", "password"]).code, Some(5));
}

#[test]
fn a_profile_is_never_overwritten() {
    let world = World::start();
    let client = world.new_client("one");
    let key_file = world.path("one").join("api-key");
    let text = |name: &str| client[name].as_str().unwrap();
    let ran = world.run(
        "one",
        &[
            "client",
            "import",
            "--service",
            &world.url,
            "--custodian",
            text("custodian"),
            "--client",
            text("client"),
            "--api-key-file",
            key_file.to_str().unwrap(),
        ],
    );
    assert_eq!(ran.code, Some(5), "{}", ran.said());
    assert_eq!(world.json("one", &["status"])["client"], client["client"]);
}

#[test]
fn a_service_that_is_gone_exits_with_4_and_one_that_came_back_knows_its_wallets() {
    let mut world = World::start();
    world.new_client("one");
    let made = world.json("one", &["wallet", "create"]);
    assert_eq!(world.stop_service(), Some(0));
    let ran = world.run("one", &["status", "--json"]);
    assert_eq!((ran.code, ran.error_kind().as_str()), (Some(4), "unavailable"), "{}", ran.said());
    assert_eq!(world.json("one", &["wallet", "show"])["addresses"], made["addresses"]);
    world.restart_service();
    assert_eq!(world.json("one", &["status"])["live"], true);
    world.json("one", &["wallet", "sign", "--curve", "ed25519", "--message", "hello"]);
}

#[test]
fn a_key_that_the_service_does_not_know_exits_with_3() {
    let world = World::start();
    let client = world.new_client("one");
    let key = fs::read_to_string(world.path("one").join("api-key")).unwrap();
    let other: String = key.chars().rev().filter(|c| *c != '\n').collect();
    world.write("other-key", &other);
    world.import_client("two", &client, "other-key");
    let ran = world.run("two", &["status"]);
    assert_eq!(ran.code, Some(3), "{}", ran.said());
}

#[cfg(unix)]
#[test]
fn what_is_secret_is_in_files_that_only_the_owner_reads_and_in_no_output() {
    use std::os::unix::fs::PermissionsExt;

    let (world, client) = backed_up();
    let mut said = client.to_string();
    for arguments in [&["status"][..], &["status", "--json"], &["wallet", "show"], &["backup"]] {
        said += &world.run("old", arguments).said();
    }
    for (folder, name, mode) in
        [("", "old", 0o700), ("old", "api-key", 0o600), ("old", "device-key", 0o600)]
    {
        let path = world.path(folder).join(name);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{name}");
        if mode == 0o600 {
            let secret = fs::read_to_string(&path).unwrap();
            assert!(!said.contains(secret.trim()), "{name}");
        }
    }
    let custodian_key = fs::read_to_string(&world.custodian_key_file).unwrap();
    for secret in [PASSWORD, WRONG, custodian_key.trim()] {
        assert!(!said.contains(secret));
    }
}

#[test]
fn progress_is_on_stderr_and_can_be_silenced() {
    let world = World::start();
    world.new_client("one");
    world.new_client("two");
    let ran = world.run("one", &["wallet", "create"]);
    assert!(ran.stderr.contains("... Generating share"), "{}", ran.said());
    assert!(!ran.stdout.contains("..."), "{}", ran.stdout);
    let ran = world.run("two", &["wallet", "create", "--quiet"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}

/// A world with a client that has a wallet and a backup of it; its API key is in `api-key`, too.
fn backed_up() -> (World, Value) {
    let world = World::start();
    let client = world.new_client("old");
    world.json("old", &["wallet", "create"]);
    world.json("old", &["backup", "--password-file", "password"]);
    fs::copy(world.path("old").join("api-key"), world.path("api-key")).unwrap();
    (world, client)
}

/// What is left is what a business keeps: the client's API key.
fn lose(world: &World, profile: &str) {
    fs::copy(world.path(profile).join("api-key"), world.path("api-key")).unwrap();
    fs::remove_dir_all(world.path(profile)).unwrap();
}

#[test]
fn private_keys_are_ejected_into_a_file_once_the_business_and_the_user_agree() {
    let (world, client) = backed_up();
    let to = ["eject", "--to", "keys.txt", "--password-file", "password"];
    let ran = world.run("old", &[&to[..], &["--json"]].concat());
    assert_eq!((ran.code, ran.error_kind().as_str()), (Some(2), "usage"), "{}", ran.said());
    let confirmed = [&to[..], &["--yes", "--json"]].concat();
    let ran = world.run("old", &confirmed);
    assert_eq!((ran.code, ran.error_kind().as_str()), (Some(5), "state"), "{}", ran.said());

    let key_file = world.custodian_key_file.to_str().unwrap();
    let id = client["client"].as_str().unwrap();
    let service = ["--service", &world.url, "--custodian-key-file", key_file, "--client", id];
    let enable = [&["client", "enable-eject"][..], &service, &["--for", "10m"]].concat();
    let allowed = world.json("old", &enable);
    assert_eq!(allowed["wallets"].as_array().unwrap().len(), 2);

    let ejected = world.json("old", &confirmed[..confirmed.len() - 1]);
    assert_eq!(ejected["curves"], serde_json::json!(["SECP256K1", "ED25519"]));
    let keys = fs::read_to_string(world.path("keys.txt")).unwrap();
    let lines: Vec<_> = keys.lines().collect();
    assert!(lines[0].starts_with("SECP256K1 ") && lines[0].len() == 10 + 64);
    assert!(lines[1].starts_with("ED25519 ") && lines.len() == 2);
    assert!(!ejected.to_string().contains(&lines[0][10..]), "no key is printed");
    let again = world.run("old", &confirmed);
    assert_eq!(again.code, Some(2), "nothing is overwritten: {}", again.said());
    assert_eq!(fs::read_to_string(world.path("keys.txt")).unwrap(), keys);
}
