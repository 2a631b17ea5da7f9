//! Backups that passkeys open, by the real command, against a real service and in a real browser.
#![cfg(all(target_os = "linux", feature = "passkey", feature = "enclave"))]

use std::fs;

use serde_json::{Value, json};

use crate::support::{chromium::Chromium, world::World};

/// The enclave's own domain: under that of the passkeys.
const SITE: &str = "https://passkeys.example.com";
const SET_UP: [&str; 8] =
    ["passkey", "set-up", "--page", SITE, "--domain", "example.com", "--account", "Alice's phone"];
const BACKUP: [&str; 3] = ["backup", "--method", "passkey"];
const RECOVER: [&str; 3] = ["recover", "--method", "passkey"];
const LIST: [&str; 2] = ["passkey", "list"];
const SIGN: [&str; 6] = ["wallet", "sign", "--curve", "ed25519", "--message", "hello"];

/// A client with a wallet on the device `old`, and its user's browser.
struct Scene {
    chromium: Chromium,
    world: World,
    client: Value,
}

impl Scene {
    fn start() -> Self {
        let enclave = [
            ("PORTAL_SERVE_ENCLAVE_RELYING_PARTY", "example.com"),
            ("PORTAL_SERVE_ENCLAVE_ORIGINS", SITE),
        ];
        let enclave = enclave.map(|(name, value)| (name, value.into()));
        let mut world = World::start_in(tempfile::tempdir().unwrap(), enclave.into());
        let chromium = Chromium::start(SITE, &world.url);
        world.environment.push(chromium.path());
        let client = world.new_client("old");
        world.json("old", &["wallet", "create"]);
        fs::copy(world.path("old").join("api-key"), world.path("api-key")).unwrap();
        Self { chromium, world, client }
    }

    fn set_up() -> Self {
        let scene = Self::start();
        scene.world.json("old", &SET_UP);
        scene
    }

    fn new_device(&self) {
        self.world.import_client("new", &self.client, "api-key");
        self.world.json("new", &SET_UP);
    }

    /// The user's passkeys, in the order in which they were made.
    fn passkeys(&self) -> Vec<Value> {
        self.world.json("old", &LIST)["passkeys"].as_array().unwrap().clone()
    }
}

#[test]
fn a_wallet_is_backed_up_with_a_passkey_and_comes_back_on_a_new_device() {
    let scene = Scene::start();
    let world = &scene.world;
    let made = world.json("old", &["wallet", "show"]);
    let ran = world.run("old", &BACKUP);
    assert_eq!(ran.code, Some(5), "{}", ran.said());
    assert!(ran.stderr.contains("portal passkey set-up"), "{}", ran.stderr);

    let set_up = world.json("old", &SET_UP);
    let expected = json!({ "enclave": world.url, "page": SITE, "domain": "example.com" });
    assert_eq!(set_up, expected);
    assert!(world.run("old", &LIST).stdout.contains("portal backup --method passkey"));
    let first = world.json("old", &BACKUP);
    assert_eq!((&first["enrolled"], &first["proved"]), (&true.into(), &true.into()));
    let asked = scene.chromium.opened();
    let second = world.json("old", &BACKUP);
    assert_eq!((&second["enrolled"], &second["proved"]), (&false.into(), &true.into()));
    assert_eq!(scene.chromium.opened(), asked, "a later backup asks the user");
    let key = world.json("old", &["backups", "list"])["keys"][0].clone();
    assert_eq!(key["place"], "passkeyService");
    assert_eq!((&key["method"], &key["state"]), (&"PASSKEY".into(), &"opensBackup".into()));

    scene.new_device();
    let recovered = world.json("new", &RECOVER);
    assert_eq!(recovered["addresses"], made["addresses"]);
    assert_eq!(recovered["backup"], second["backup"]);
    world.json("new", &SIGN);
    assert_eq!(scene.chromium.opened(), asked + 1);
}

#[test]
fn a_key_that_the_passkey_makes_itself_opens_a_backup_and_the_service_has_none() {
    let scene = Scene::set_up();
    let world = &scene.world;
    let made = world.json("old", &["backup", "--method", "passkey-prf"]);
    assert_eq!((&made["method"], &made["proved"]), (&"portal.passkey-prf".into(), &true.into()));
    assert_eq!(world.json("old", &["backups", "list"])["keys"], json!([]));
    assert!(scene.passkeys().is_empty());
    scene.new_device();
    let recovered = world.json("new", &["recover", "--method", "passkey-prf"]);
    assert_eq!(recovered["backup"], made["backup"]);
}

#[test]
fn a_lost_passkey_is_replaced_by_another_one_that_opens_what_it_opened() {
    let scene = Scene::set_up();
    let world = &scene.world;
    let ran = world.run("old", &["passkey", "add"]);
    assert_eq!(ran.code, Some(5), "{}", ran.said());
    assert!(ran.stderr.contains("portal backup --method passkey"), "{}", ran.stderr);
    let backup = world.json("old", &BACKUP);

    let added = world.json("old", &["passkey", "add", "--account", "Alice's key"])["added"].clone();
    let passkeys = scene.passkeys();
    let names: Vec<_> = passkeys.iter().map(|passkey| &passkey["name"]).collect();
    assert_eq!(names, ["Alice's phone", "Alice's key"]);
    assert_eq!((&passkeys[1]["id"], &passkeys[1]["keys"]), (&added, &1.into()));

    let (lost, added) = (passkeys[0]["id"].as_str().unwrap(), added.as_str().unwrap());
    world.json("old", &["passkey", "rename", "--id", added, "Alice's other key"]);
    world.json("old", &["passkey", "remove", "--id", lost]);
    let passkeys = scene.passkeys();
    assert_eq!(passkeys.len(), 1);
    assert_eq!(passkeys[0]["name"], "Alice's other key");
    scene.new_device();
    assert_eq!(world.json("new", &RECOVER)["backup"], backup["backup"]);

    let ran = world.run("new", &["passkey", "remove", "--id", added]);
    assert_ne!(ran.code, Some(0), "the last passkey is removed");
    assert_eq!(scene.passkeys().len(), 1);
}

#[test]
fn a_user_who_cancels_has_no_backup_and_what_was_there_before() {
    let scene = Scene::set_up();
    let world = &scene.world;
    scene.chromium.user("cancels");
    let ran = world.run("old", &BACKUP);
    assert_eq!(ran.code, Some(1), "{}", ran.said());
    assert!(ran.stderr.contains("not confirmed"), "{}", ran.stderr);
    assert_eq!(world.json("old", &["backups", "list"])["backups"], json!([]));
    assert!(scene.passkeys().is_empty());
    scene.chromium.user("agrees");
    world.json("old", &BACKUP);

    scene.chromium.user("cancels");
    scene.new_device();
    assert_eq!(world.run("new", &RECOVER).code, Some(1));
    world.json("old", &SIGN);
    scene.chromium.user("agrees");
    world.json("new", &RECOVER);
}

#[test]
fn a_domain_that_the_page_is_not_of_is_said_to_be_set_up_wrongly() {
    let scene = Scene::start();
    let world = &scene.world;
    world.json("old", &["passkey", "set-up", "--page", SITE, "--domain", "example.org"]);
    let ran = world.run("old", &["backup", "--method", "passkey-prf"]);
    assert_eq!(ran.code, Some(4), "{}", ran.said());
    assert!(ran.stderr.contains("set up wrongly"), "{}", ran.stderr);
}

#[test]
fn what_is_set_up_wrongly_is_found_out_before_a_page_is_opened() {
    let scene = Scene::start();
    let world = &scene.world;
    for (arguments, code) in [
        // The service's own address is none of a domain.
        (&["passkey", "set-up"][..], 2),
        (&["passkey", "set-up", "--page", SITE, "--domain", "Example.com"], 2),
        (&["passkey", "set-up", "--page", "http://wallet.example.com"], 2),
        (&["passkey", "set-up", "--page", SITE, "--account", ""], 2),
        (&["passkey", "set-up", "--page", SITE, "--enclave", "http://127.0.0.1:1"], 4),
    ] {
        let ran = world.run("old", arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.said());
    }
    assert!(!world.path("old").join("passkeys.json").exists());

    // A domain of passkeys, and not of those that the service takes.
    world.json("old", &["passkey", "set-up", "--page", SITE]);
    let ran = world.run("old", &BACKUP);
    assert!(ran.stderr.contains("--domain"), "{}", ran.said());
    assert_eq!(scene.chromium.opened(), 0);
}
