//! Backups in the user's Google Drive, by the real command: against a double of Drive, and a real
//! authorization server.
#![cfg(all(target_os = "linux", feature = "gdrive"))]

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{
    google::{ALICE, BOB, Google},
    killed::kill_before_naming,
    world::{Ran, World},
};

const SIGN_IN: [&str; 4] = ["google", "sign-in", "--client-file", "desktop.json"];
const BACKUP: [&str; 3] = ["backup", "--method", "gdrive"];
const RECOVER: [&str; 3] = ["recover", "--method", "gdrive"];
const SIGN: [&str; 6] = ["wallet", "sign", "--curve", "ed25519", "--message", "hello"];

#[test]
fn a_wallet_is_backed_up_after_one_sign_in_and_comes_back_on_a_new_device() {
    let (google, world, client) = with_wallet();
    let made = world.json("old", &["wallet", "show"]);
    let ran = world.run("old", &BACKUP);
    assert_eq!(ran.code, Some(5), "{}", ran.said());
    assert!(ran.stderr.contains("portal google sign-in"), "{}", ran.stderr);

    let signed_in = world.json("old", &SIGN_IN);
    assert_eq!(signed_in["place"], "googleDriveHidden");
    let first = world.json("old", &BACKUP);
    assert_eq!((&first["enrolled"], &first["proved"]), (&true.into(), &true.into()));
    let second = world.json("old", &BACKUP);
    assert_eq!((&second["enrolled"], &second["proved"]), (&false.into(), &true.into()));
    let key = world.json("old", &["backups", "list"])["keys"][0].clone();
    assert_eq!(key["place"], "googleDriveHidden");
    assert_eq!((&key["method"], &key["state"]), (&"GDRIVE".into(), &"opensBackup".into()));
    assert_eq!(google.opened(), 1, "the user is asked once");

    world.import_client("new", &client, "api-key");
    world.json("new", &SIGN_IN);
    let recovered = world.json("new", &RECOVER);
    assert_eq!(recovered["addresses"], made["addresses"]);
    assert_eq!(recovered["backup"], second["backup"]);
    world.json("new", &SIGN);
    assert_eq!(google.opened(), 2);
}

#[test]
fn a_consent_that_was_withdrawn_is_said_and_asked_for_anew_and_the_old_backup_stays_good() {
    let (google, world, _) = with_wallet();
    world.json("old", &SIGN_IN);
    let first = world.json("old", &BACKUP);
    google.withdraw();

    let listed = world.json("old", &["backups", "list"]);
    let reason = listed["unanswered"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("sign in"), "{reason}");
    let text = world.run("old", &["backups", "list"]).stdout;
    assert!(text.contains("portal google sign-in"), "{text}");
    let second = world.json("old", &BACKUP);
    assert_eq!((&second["enrolled"], &second["proved"]), (&false.into(), &true.into()));

    google.user("decline");
    let anew = [&BACKUP[..], &["--enroll-anew"]].concat();
    let ran = world.run("old", &anew);
    assert_eq!(ran.code, Some(1), "{}", ran.said());
    assert!(ran.stderr.contains("did not agree"), "{}", ran.stderr);
    assert_eq!(google.drive.files().len(), 1);
    assert_eq!(ids(&world), [second["backup"].clone(), first["backup"].clone()]);

    google.user("agree");
    let third = world.json("old", &anew);
    assert_eq!((&third["enrolled"], &third["proved"]), (&true.into(), &true.into()));
    assert_eq!(google.drive.files().len(), 2);
    let removed = world.json("old", &["backups", "remove", "--yes"]);
    assert_eq!(removed["keysRemoved"], 1);
    assert_eq!(google.drive.files().len(), 1, "the key of a superseded backup stays");
    assert_eq!(ids(&world), [third["backup"].clone()]);
}

#[test]
fn another_account_does_not_have_the_backup_and_the_right_one_still_has() {
    let (google, world, client) = with_wallet();
    world.json("old", &SIGN_IN);
    world.json("old", &BACKUP);
    world.import_client("new", &client, "api-key");
    google.account(BOB);
    world.json("new", &SIGN_IN);
    let ran = world.run("new", &RECOVER);
    assert_eq!(ran.code, Some(3), "{}", ran.said());
    assert!(ran.stderr.contains("b…b@example.com"), "{}", ran.stderr);
    assert!(ran.stderr.contains("portal google sign-in"), "{}", ran.stderr);
    google.account(ALICE);
    world.json("new", &["google", "sign-in"]);
    world.json("new", &RECOVER);
}

#[test]
fn keys_in_a_folder_are_seen_by_the_user_and_not_looked_for_in_the_hidden_one() {
    let (google, world, client) = with_wallet();
    let folder = [&SIGN_IN[..], &["--folder", "Wallet keys"]].concat();
    assert_eq!(world.json("old", &folder)["place"], "googleDrive");
    world.json("old", &BACKUP);
    let names: Vec<_> = google.drive.files().into_iter().map(|file| file.name).collect();
    assert!(names.contains(&"Wallet keys".to_owned()), "{names:?}");
    world.import_client("new", &client, "api-key");
    world.json("new", &SIGN_IN);
    let ran = world.run("new", &RECOVER);
    assert_eq!(ran.code, Some(3), "{}", ran.said());
    assert!(ran.stderr.contains("--folder"), "{}", ran.stderr);
    let text = world.run("new", &["google", "sign-in", "--folder", "Wallet keys"]).stdout;
    assert!(text.contains("--enroll-anew"), "{text}");
    world.json("new", &RECOVER);
}

#[test]
fn a_device_without_a_browser_signs_in_by_a_code() {
    let (google, world, _) = with_wallet();
    let arguments = ["google", "sign-in", "--client-file", "tv.json", "--by-code", "--json"];
    let mut command = world.command("old", &arguments);
    let mut portal = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(portal.stderr.take().unwrap()).lines().map(Result::unwrap);
    let address = said.find(|line| line.starts_with("  http")).unwrap();
    let code = said.find(|line| line.starts_with("  ")).unwrap();
    google.type_code(address.trim(), code.trim());
    let ran = Ran::of(portal.wait_with_output().unwrap());
    assert_eq!(ran.json()["by"], "code");
    assert_eq!(google.opened(), 0);
    world.json("old", &BACKUP);
}

#[test]
fn ctrl_c_while_google_is_waited_for_leaves_nothing() {
    let (google, world, _) = with_wallet();
    let before = files(&world);
    google.user("away");
    let mut portal = waiting(&google, world.command("old", &SIGN_IN), 1);
    interrupt(&mut portal);
    assert_eq!(files(&world), before);

    google.user("agree");
    world.json("old", &SIGN_IN);
    google.withdraw();
    google.user("away");
    let mut portal = waiting(&google, world.command("old", &BACKUP), 3);
    interrupt(&mut portal);
    assert_eq!(world.json("old", &["status"])["backups"], Value::Array(vec![]));
    assert_eq!(google.drive.files().len(), 0);
    google.user("agree");
    assert_eq!(world.json("old", &BACKUP)["proved"], true);
}

#[test]
fn a_sign_in_that_is_killed_between_its_files_keeps_nobody_from_the_backup() {
    let (google, world, client) = with_wallet();
    world.json("old", &SIGN_IN);
    world.json("old", &BACKUP);
    let folder = [&SIGN_IN[..], &["--folder", "Keys"]].concat();
    for file in ["google-token", "google.json"] {
        let before = fs::read(world.path("old").join("google.json")).unwrap();
        google.account(BOB);
        kill_before_naming(&world, "old", &folder, file);
        assert_eq!(fs::read(world.path("old").join("google.json")).unwrap(), before);
        world.json("old", &["backups", "list"]);
        google.account(ALICE);
        assert_eq!(world.json("old", &BACKUP)["proved"], true, "killed before {file}");
        world.json("old", &SIGN_IN);
        let device = format!("after {file}");
        world.import_client(&device, &client, "api-key");
        world.json(&device, &SIGN_IN);
        world.json(&device, &RECOVER);
        world.json("old", &RECOVER);
    }
}

#[test]
fn who_signs_out_is_asked_again() {
    let (google, world, _) = with_wallet();
    world.json("old", &SIGN_IN);
    assert_eq!(world.json("old", &["google", "sign-out"])["signedIn"], false);
    assert!(!world.path("old").join("google-token").exists());
    world.json("old", &BACKUP);
    assert_eq!(google.opened(), 2);
}

#[test]
fn what_google_gave_is_in_no_output_and_in_no_file_as_it_is() {
    let (google, world, _) = with_wallet();
    let mut said = String::new();
    for arguments in [&SIGN_IN[..], &BACKUP, &["backups", "list"], &["status"]] {
        let ran = world.run("old", arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.said());
        said += &ran.said();
    }
    said += &String::from_utf8_lossy(&fs::read(world.path("old").join("google-token")).unwrap());
    said += &fs::read_to_string(world.path("old").join("google.json")).unwrap();
    let tokens = google.tokens();
    assert!(tokens.len() >= 2);
    for token in tokens {
        assert!(!said.contains(&token));
    }
}

#[test]
fn a_wrong_client_file_or_option_is_refused_and_changes_nothing() {
    let (google, world, _) = with_wallet();
    world.json("old", &SIGN_IN);
    let before = files(&world);
    world.write("web.json", r#"{"web":{"client_id":"x"}}"#);
    let sign_in = ["google", "sign-in"];
    for (arguments, code, says) in [
        (&["--client-file", "nowhere.json"][..], 1, "check the path"),
        (&["--client-file", "web.json"], 6, "web application"),
        (&["--client-file", "password"], 6, "not JSON"),
        (&["--by-code"], 2, "--client-file"),
        (&["--folder", ""], 2, "1 to 100"),
        (&["--folder", "a\nb"], 2, "1 to 100"),
        (&["--folder", "a", "--hidden"], 2, "cannot be used with"),
    ] {
        let ran = world.run("old", &[&sign_in[..], arguments].concat());
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.said());
        assert!(ran.stderr.contains(says), "{arguments:?}: {}", ran.stderr);
    }
    assert_eq!((files(&world), google.opened()), (before, 1));
    fs::write(world.path("old").join("google.json"), "{}").unwrap();
    let ran = world.run("old", &BACKUP);
    assert_eq!(ran.code, Some(6), "{}", ran.said());
    world.json("old", &SIGN_IN);
    world.json("old", &BACKUP);
}

#[test]
fn no_other_machine_is_taken_for_google() {
    let (google, mut world, _) = with_wallet();
    let own = google.environment();
    for wrong in ["http://example.com:80", "https://127.0.0.1:1", "http://127.0.0.1:1/x", ""] {
        for at in [0, 1] {
            world.environment.clone_from(&own);
            world.environment[at].1 = wrong.into();
            let ran = world.run("old", &SIGN_IN);
            assert_eq!(ran.code, Some(2), "{wrong}: {}", ran.said());
            assert!(ran.stderr.contains("unset it"), "{}", ran.stderr);
        }
    }
    world.environment = own;
    world.environment.remove(0);
    assert_eq!(world.run("old", &SIGN_IN).code, Some(2), "real tokens would go to a double");
    assert_eq!(google.opened(), 0);
    world.environment = google.environment();
    let ran = world.run("old", &SIGN_IN);
    assert!(ran.stderr.contains("in place of Google"), "{}", ran.stderr);
}

/// A client with a wallet; its API key is in `api-key`, too.
fn with_wallet() -> (Google, World, Value) {
    let (google, mut world) = (Google::start(), World::start());
    world.environment = google.environment();
    let desktop = r#"{"installed":{"client_id":"desktop","client_secret":"not-a-secret"}}"#;
    world.write("desktop.json", desktop);
    world.write("tv.json", r#"{"installed":{"client_id":"tv"}}"#);
    let client = world.new_client("old");
    world.json("old", &["wallet", "create"]);
    fs::copy(world.path("old").join("api-key"), world.path("api-key")).unwrap();
    (google, world, client)
}

fn ids(world: &World) -> Vec<Value> {
    let backups = world.json("old", &["status"])["backups"].clone();
    backups.as_array().unwrap().iter().map(|set| set["id"].clone()).collect()
}

/// What of Google is in the profile.
fn files(world: &World) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(world.path("old")).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let read =
        files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()));
    let mut read: Vec<_> = read.collect();
    read.sort();
    read
}

/// A command that has opened the browser, which was the time of this number.
fn waiting(google: &Google, mut command: Command, number: usize) -> Child {
    let portal = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while google.opened() < number {
        assert!(Instant::now() < until, "the browser is not opened");
        thread::sleep(Duration::from_millis(20));
    }
    portal
}

fn interrupt(portal: &mut Child) {
    let kill = Command::new("kill").args(["-INT", &portal.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(portal.wait().unwrap().code(), Some(130));
}
