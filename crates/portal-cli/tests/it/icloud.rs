//! Backups in the user's iCloud, by the real command, against a double of CloudKit.
#![cfg(all(target_os = "linux", feature = "icloud"))]

use std::fs;

use backup_testkit::icloud::{API_TOKEN, CONTAINER, ICloudCall, ICloudDouble, ICloudFault};
use serde_json::Value;

use crate::support::{browser::Browser, killed::kill_before_naming, world::World};

const PAGE: &str = "https://wallet.example/icloud";
const SIGN_IN: [&str; 10] = [
    "icloud",
    "sign-in",
    "--container",
    CONTAINER,
    "--environment",
    "development",
    "--api-token-file",
    "api-token",
    "--page",
    PAGE,
];
const BACKUP: [&str; 3] = ["backup", "--method", "icloud"];
const RECOVER: [&str; 3] = ["recover", "--method", "icloud"];
const SIGN: [&str; 6] = ["wallet", "sign", "--curve", "ed25519", "--message", "hello"];

/// A client with a wallet on the device `old`, and its user's iCloud.
struct Scene {
    icloud: ICloudDouble,
    browser: Browser,
    world: World,
    client: Value,
}

impl Scene {
    fn start() -> Self {
        let (icloud, browser) = (ICloudDouble::start(), Browser::new("icloud_user.cjs"));
        icloud.set_callback(PAGE);
        browser.user("alice");
        let mut world = World::start();
        world.environment = vec![("PORTAL_TEST_ICLOUD", icloud.url().into()), browser.path()];
        world.write("api-token", &format!("{API_TOKEN}\n"));
        let client = world.new_client("old");
        world.json("old", &["wallet", "create"]);
        fs::copy(world.path("old").join("api-key"), world.path("api-key")).unwrap();
        Self { icloud, browser, world, client }
    }

    fn signed_in() -> Self {
        let scene = Self::start();
        scene.world.json("old", &SIGN_IN);
        scene
    }

    fn new_device(&self) {
        self.world.import_client("new", &self.client, "api-key");
    }
}

#[test]
fn a_wallet_is_backed_up_after_one_sign_in_and_comes_back_on_a_new_device() {
    let scene = Scene::start();
    let (world, icloud) = (&scene.world, &scene.icloud);
    let made = world.json("old", &["wallet", "show"]);
    let ran = world.run("old", &BACKUP);
    assert_eq!(ran.code, Some(5), "{}", ran.said());
    assert!(ran.stderr.contains("portal icloud sign-in"), "{}", ran.stderr);

    let signed_in = world.json("old", &SIGN_IN);
    assert_eq!(signed_in["user"], icloud.user("alice"));
    let first = world.json("old", &BACKUP);
    assert_eq!((&first["enrolled"], &first["proved"]), (&true.into(), &true.into()));
    let second = world.json("old", &BACKUP);
    assert_eq!((&second["enrolled"], &second["proved"]), (&false.into(), &true.into()));
    let key = world.json("old", &["backups", "list"])["keys"][0].clone();
    assert_eq!(key["place"], "iCloud");
    assert_eq!((&key["method"], &key["state"]), (&"ICLOUD".into(), &"opensBackup".into()));
    assert_eq!(scene.browser.opened(), 1, "the user is asked once");

    scene.new_device();
    world.json("new", &SIGN_IN);
    let recovered = world.json("new", &RECOVER);
    assert_eq!(recovered["addresses"], made["addresses"]);
    assert_eq!(recovered["backup"], second["backup"]);
    world.json("new", &SIGN);
    assert_eq!(scene.browser.opened(), 2);
}

#[test]
fn keys_of_superseded_backups_are_removed_from_icloud_and_the_newest_stays() {
    let scene = Scene::signed_in();
    let (world, icloud) = (&scene.world, &scene.icloud);
    world.json("old", &BACKUP);
    let anew = world.json("old", &[&BACKUP[..], &["--enroll-anew"]].concat());
    assert_eq!(icloud.records().len(), 2);
    assert_eq!(world.json("old", &["backups", "remove", "--yes"])["keysRemoved"], 1);
    assert_eq!(icloud.records().len(), 1);
    scene.new_device();
    world.json("new", &SIGN_IN);
    assert_eq!(world.json("new", &RECOVER)["backup"], anew["backup"]);
}

#[test]
fn a_token_that_is_taken_no_more_is_said_and_asked_for_anew_and_the_old_backup_stays_good() {
    let scene = Scene::signed_in();
    let (world, icloud) = (&scene.world, &scene.icloud);
    let first = world.json("old", &BACKUP);
    icloud.expire_tokens();

    let listed = world.json("old", &["backups", "list"]);
    let reason = listed["unanswered"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("sign in"), "{reason}");
    let text = world.run("old", &["backups", "list"]).stdout;
    assert!(text.contains("portal icloud sign-in"), "{text}");
    assert_eq!(scene.browser.opened(), 1, "a list asks the user");

    scene.new_device();
    world.json("new", &SIGN_IN);
    icloud.expire_tokens();
    let recovered = world.json("new", &RECOVER);
    assert_eq!(recovered["backup"], first["backup"]);
    assert_eq!(scene.browser.opened(), 3);
}

#[test]
fn another_account_does_not_have_the_backup_and_the_right_one_still_has() {
    let scene = Scene::signed_in();
    let world = &scene.world;
    world.json("old", &BACKUP);
    scene.new_device();
    scene.browser.user("bob");
    world.json("new", &SIGN_IN);
    let ran = world.run("new", &RECOVER);
    assert_eq!(ran.code, Some(3), "{}", ran.said());
    assert!(ran.stderr.contains("another account"), "{}", ran.stderr);
    assert!(ran.stderr.contains("portal icloud sign-in"), "{}", ran.stderr);
    scene.browser.user("alice");
    let text = world.run("new", &["icloud", "sign-in"]).stdout;
    assert!(text.contains("--enroll-anew"), "{text}");
    world.json("new", &RECOVER);
}

#[test]
fn no_key_is_put_into_the_icloud_of_somebody_else_who_signs_in_on_the_way() {
    let scene = Scene::signed_in();
    let (world, icloud) = (&scene.world, &scene.icloud);
    icloud.expire_tokens();
    scene.browser.user("bob");
    let ran = world.run("old", &BACKUP);
    assert_eq!(ran.code, Some(3), "{}", ran.said());
    assert!(ran.stderr.contains("another Apple Account"), "{}", ran.stderr);
    assert!(ran.stderr.contains("portal icloud sign-in"), "{}", ran.stderr);
    assert_eq!(icloud.records().len(), 0);
    scene.browser.user("alice");
    assert_eq!(world.json("old", &BACKUP)["proved"], true);
}

#[test]
fn who_is_asked_to_wait_is_told_so_and_nothing_is_left() {
    let scene = Scene::signed_in();
    let (world, icloud) = (&scene.world, &scene.icloud);
    let busy = ICloudFault::refuse(ICloudCall::Create, 503, "THROTTLED").retry_after("3600");
    icloud.inject(busy.times(9));
    let ran = world.run("old", &BACKUP);
    assert_eq!(ran.code, Some(4), "{}", ran.said());
    assert!(ran.stderr.contains("asks to wait"), "{}", ran.stderr);
    assert_eq!(world.json("old", &["status"])["backups"], Value::Array(vec![]));
    icloud.heal();
    icloud.inject(ICloudFault::refuse(ICloudCall::Create, 503, "THROTTLED").retry_after("1"));
    assert_eq!(world.json("old", &BACKUP)["proved"], true);
}

#[test]
fn a_sign_in_that_is_killed_between_its_files_keeps_nobody_from_the_backup() {
    let scene = Scene::signed_in();
    let world = &scene.world;
    world.json("old", &BACKUP);
    for file in ["icloud-token", "icloud.json"] {
        let before = fs::read(world.path("old").join("icloud.json")).unwrap();
        scene.browser.user("bob");
        kill_before_naming(world, "old", &SIGN_IN, file);
        assert_eq!(fs::read(world.path("old").join("icloud.json")).unwrap(), before);
        world.json("old", &["backups", "list"]);
        // The profile expects Alice: nothing is put into Bob's iCloud.
        let anew = world.run("old", &[&BACKUP[..], &["--enroll-anew"]].concat());
        assert_eq!(anew.code, Some(if file == "icloud.json" { 3 } else { 0 }), "{}", anew.said());
        scene.browser.user("alice");
        world.json("old", &SIGN_IN);
        assert_eq!(world.json("old", &BACKUP)["proved"], true, "killed before {file}");
        assert!(scene.icloud.records().iter().all(|record| record.account == "alice"));
        let device = format!("after {file}");
        world.import_client(&device, &scene.client, "api-key");
        world.json(&device, &SIGN_IN);
        world.json(&device, &RECOVER);
        world.json("old", &RECOVER);
    }
}

#[test]
fn who_signs_out_is_asked_again() {
    let scene = Scene::signed_in();
    let world = &scene.world;
    assert_eq!(world.json("old", &["icloud", "sign-out"])["signedIn"], false);
    assert!(!world.path("old").join("icloud-token").exists());
    world.json("old", &BACKUP);
    assert_eq!(scene.browser.opened(), 2);
}

#[test]
fn what_apple_gave_is_in_no_output_and_in_no_file_as_it_is() {
    let scene = Scene::start();
    let world = &scene.world;
    let mut said = String::new();
    for arguments in [&SIGN_IN[..], &BACKUP, &["backups", "list"], &["status"]] {
        let ran = world.run("old", arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.said());
        assert!(!ran.said().contains(API_TOKEN), "{}", ran.said());
        said += &ran.said();
    }
    said += &String::from_utf8_lossy(&fs::read(world.path("old").join("icloud-token")).unwrap());
    said += &fs::read_to_string(world.path("old").join("icloud.json")).unwrap();
    let tokens = scene.icloud.issued_tokens();
    assert!(tokens.len() > 4, "every answer brings one");
    for token in tokens {
        assert!(!said.contains(&token));
    }
}

#[test]
fn a_wrong_container_token_or_page_is_refused_and_changes_nothing() {
    let scene = Scene::signed_in();
    let world = &scene.world;
    let before = records(world);
    world.write("no-token", "not a token");
    let other = |at: usize, value: &'static str| {
        let mut arguments = SIGN_IN;
        arguments[at] = value;
        arguments.to_vec()
    };
    for (arguments, code, says) in [
        (other(3, "com.example"), 2, "begins with `iCloud.`"),
        (other(7, "nowhere"), 1, "check the path"),
        (other(7, "no-token"), 2, "letters and digits"),
        (other(9, "http://wallet.example"), 2, "https://"),
        (SIGN_IN[..4].to_vec(), 2, "--api-token-file"),
        (["icloud", "sign-in", "--environment", "production"].to_vec(), 2, "--container"),
    ] {
        let ran = world.run("old", &arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.said());
        assert!(ran.stderr.contains(says), "{arguments:?}: {}", ran.stderr);
    }
    // Apple knows no such token.
    world.write("no-token", &"0".repeat(64));
    let ran = world.run("old", &other(7, "no-token"));
    assert_eq!(ran.code, Some(1), "{}", ran.said());
    assert_eq!((records(world), scene.browser.opened()), (before, 1));
    fs::write(world.path("old").join("icloud.json"), "{}").unwrap();
    let ran = world.run("old", &BACKUP);
    assert_eq!(ran.code, Some(6), "{}", ran.said());
    world.json("old", &SIGN_IN);
    world.json("old", &BACKUP);
}

#[test]
fn no_other_machine_is_taken_for_apple() {
    let mut scene = Scene::start();
    for wrong in ["http://example.com:80", "https://127.0.0.1:1", "http://127.0.0.1:1/x", ""] {
        scene.world.environment[0].1 = wrong.into();
        let ran = scene.world.run("old", &SIGN_IN);
        assert_eq!(ran.code, Some(2), "{wrong}: {}", ran.said());
        assert!(ran.stderr.contains("unset it"), "{}", ran.stderr);
    }
    assert_eq!(scene.browser.opened(), 0);
    scene.world.environment[0].1 = scene.icloud.url().into();
    let ran = scene.world.run("old", &SIGN_IN);
    assert!(ran.stderr.contains("in place of iCloud"), "{}", ran.stderr);
}

/// What of iCloud is in the profile.
fn records(world: &World) -> [Vec<u8>; 2] {
    ["icloud.json", "icloud-token"].map(|name| fs::read(world.path("old").join(name)).unwrap())
}
