//! The keys that shares are sealed under, as their operator has them.

use std::{
    ffi::OsString,
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::world::{Ran, World, portal};

fn make_key(folder: &TempDir, name: &str) -> String {
    let path = folder.path().join(name);
    let made = portal().args(["--json", "admin", "custody", "make-key"]).arg(path).output();
    let made = Ran::of(made.unwrap());
    assert_eq!(made.code, Some(0), "{}", made.said());
    made.json()["key"].as_str().unwrap().to_owned()
}

/// Settings with these keys, each named by the file of its table.
fn settings(keys: &[String], lost: &str) -> String {
    let lost = if lost.is_empty() { String::new() } else { format!("lost-keys = {lost:?}\n") };
    keys.iter().fold(lost, |text, key| format!("{text}\n[[custody.keys]]\n{key}\n"))
}

fn file(name: &str, state: &str) -> String {
    format!("kind = \"file\"\npath = {name:?}\nstate = {state:?}")
}

fn environment(folder: &Path) -> Vec<(&'static str, OsString)> {
    vec![("PORTAL_SERVE_CONFIG", folder.join("portal.toml").into())]
}

/// A service with these settings, and a wallet that is backed up.
fn backed_up(
    folder: TempDir,
    settings: &str,
    more: Vec<(&'static str, OsString)>,
) -> (World, Value) {
    fs::write(folder.path().join("portal.toml"), settings).unwrap();
    let environment = environment(folder.path()).into_iter().chain(more).collect();
    let world = World::start_in(folder, environment);
    let client = world.new_client("old");
    world.json("old", &["wallet", "create"]);
    world.json("old", &["backup", "--password-file", "password"]);
    (world, client)
}

fn restart_with(world: &mut World, settings: &str) {
    assert_eq!(world.stop_service(), Some(0));
    world.write("portal.toml", settings);
    world.restart_service();
}

fn admin(world: &World, command: &str) -> Ran {
    let data = world.path("service");
    world.run("nobody", &["--json", "admin", "custody", command, "--data", data.to_str().unwrap()])
}

/// Recovers the wallet on a device of this name, and signs.
fn recover(world: &World, client: &Value, device: &str) {
    fs::copy(world.path("old").join("api-key"), world.path("api-key")).unwrap();
    world.import_client(device, client, "api-key");
    world.json(device, &["recover", "--password-file", "password"]);
    world.json(device, &["wallet", "sign", "--curve", "ed25519", "--message", "hello"]);
}

/// The service does not start; what it says.
fn refusal(world: &World) -> Ran {
    let data = world.path("service");
    let serve = world.command("nobody", &["serve", "--listen", "127.0.0.1:0", "--data"]);
    let mut serve = serve;
    let ran = Ran::of(serve.arg(data).stdin(Stdio::null()).output().unwrap());
    assert_ne!(ran.code, Some(0));
    ran
}

#[test]
fn keys_are_rotated_while_the_service_serves_and_the_old_one_may_go() {
    let folder = tempfile::tempdir().unwrap();
    let (old, _) = (make_key(&folder, "old.key"), make_key(&folder, "new.key"));
    let (mut world, _) = backed_up(folder, &settings(&[file("old.key", "active")], ""), Vec::new());
    let all = admin(&world, "verify").json()["total"].clone();
    assert!(all.as_u64().unwrap() >= 4, "{all}");

    let rotating = settings(&[file("old.key", "retired"), file("new.key", "active")], "");
    world.write("portal.toml", &rotating);
    let ran = admin(&world, "rewrap");
    assert_eq!((ran.code, ran.error_kind().as_str()), (Some(5), "state"), "{}", ran.said());
    restart_with(&mut world, &rotating);
    let done = admin(&world, "rewrap").json();
    assert_eq!((&done["total"], &done["rewrapped"]), (&all, &all), "{done}");
    assert_eq!(done["unneededKeys"][0], *old, "{done}");

    fs::remove_file(world.path("old.key")).unwrap();
    restart_with(&mut world, &settings(&[file("new.key", "active")], ""));
    world.json("old", &["wallet", "sign", "--curve", "ed25519", "--message", "hello"]);
    assert_eq!(admin(&world, "verify").json()["total"], all);
}

/// Moves everything, and is killed before its so manieth write to the database; how it ended.
fn rewrap_killed_at(world: &World, write: u32) -> Ran {
    let data = world.path("service");
    let portal = world.command("nobody", &["--json", "admin", "custody", "rewrap", "--data"]);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e"]);
    strace.arg(format!("inject=pwrite64:signal=KILL:when={write}")).arg("--");
    strace.arg(portal.get_program()).args(portal.get_args()).arg(data);
    strace.current_dir(world.folder.path());
    for (name, value) in portal.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    Ran::of(strace.output().unwrap())
}

#[test]
fn a_rewrap_that_is_killed_while_the_service_serves_is_finished_by_running_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let (old, _) = (make_key(&folder, "old.key"), make_key(&folder, "new.key"));
    let settled = settings(&[file("old.key", "active")], "");
    let (mut world, client) = backed_up(folder, &settled, Vec::new());
    let rotating = settings(&[file("old.key", "retired"), file("new.key", "active")], "");
    restart_with(&mut world, &rotating);
    let ended = AtomicBool::new(false);
    let (kills, signatures) = thread::scope(|scope| {
        let signing = scope.spawn(|| {
            let mut signatures = 0;
            while !ended.load(Ordering::SeqCst) {
                world.json("old", &["wallet", "sign", "--curve", "ed25519", "--message", "hello"]);
                signatures += 1;
            }
            signatures
        });
        // Each begins with what the ones before it have left, and comes further.
        let killed = |write: &u32| rewrap_killed_at(&world, *write).code.is_none();
        let kills = (1..100).take_while(|write| {
            let is_killed = killed(write);
            let ran = admin(&world, "verify");
            assert_eq!(ran.code, Some(0), "killed at {write}: {}", ran.said());
            is_killed
        });
        let kills = kills.count();
        ended.store(true, Ordering::SeqCst);
        (kills, signing.join().unwrap())
    });
    assert!(kills > 5 && signatures > 3, "{kills} kills, {signatures} signatures");
    let done = admin(&world, "rewrap").json();
    assert_eq!(done["rewrapped"], 0, "{done}");
    assert_eq!(done["unneededKeys"].as_array().unwrap().len(), 0, "the last one forgot {old}");
    fs::remove_file(world.path("old.key")).unwrap();
    restart_with(&mut world, &settings(&[file("new.key", "active")], ""));
    assert_eq!(admin(&world, "verify").code, Some(0));
    recover(&world, &client, "new");
}

#[test]
fn a_missing_or_wrong_key_file_stops_the_service_at_its_start_and_none_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let key = make_key(&folder, "one.key");
    make_key(&folder, "other.key");
    let (mut world, _) = backed_up(folder, &settings(&[file("one.key", "active")], ""), Vec::new());
    assert_eq!(world.stop_service(), Some(0));

    fs::rename(world.path("one.key"), world.path("away.key")).unwrap();
    let ran = refusal(&world);
    assert!(ran.stderr.contains("restore it from its copy"), "{}", ran.said());
    assert!(!world.path("one.key").exists());

    fs::rename(world.path("other.key"), world.path("one.key")).unwrap();
    let ran = refusal(&world);
    assert!(ran.stderr.contains(&key), "{}", ran.said());

    fs::rename(world.path("away.key"), world.path("one.key")).unwrap();
    world.restart_service();
    world.json("old", &["wallet", "sign", "--curve", "ed25519", "--message", "hello"]);
}

#[test]
fn a_verification_lists_what_a_lost_key_does_not_open_and_exits_with_6() {
    let folder = tempfile::tempdir().unwrap();
    let lost = make_key(&folder, "lost.key");
    make_key(&folder, "kept.key");
    let both = [file("lost.key", "active"), file("kept.key", "active")];
    let (mut world, _) = backed_up(folder, &settings(&both, ""), Vec::new());
    restart_with(&mut world, &settings(&both[1..], &lost));
    let ran = admin(&world, "verify");
    assert_eq!((ran.code, ran.error_kind().as_str()), (Some(6), "damaged"), "{}", ran.said());
    let error = &ran.json()["error"];
    let unopened = error["unopened"].as_array().unwrap();
    assert_eq!(unopened.len() as u64, error["total"].as_u64().unwrap(), "{error}");
    assert!(unopened.iter().all(|one| one["key"] == *lost && one["id"].is_string()), "{error}");

    let done = admin(&world, "rewrap").json();
    assert_eq!(done["unneededKeys"][0], *lost, "{done}");
    assert_eq!(admin(&world, "verify").code, Some(0));
    restart_with(&mut world, &settings(&both[1..], ""));
    world.json("old", &["wallet", "sign", "--curve", "ed25519", "--message", "hello"]);
}

#[test]
fn settings_of_keys_that_make_no_sense_are_told_with_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portal.toml");
    for (text, said) in [
        ("[[custody.keys]]\nkind = \"paper\"", "it is file, aws-kms or pkcs11"),
        ("[[custody.keys]]\nkind = \"file\"", "a key of kind \"file\" has a path"),
        ("[[custody.keys]]\nkind = \"file\"\npath = \"a\"\npin-file = \"b\"", "has no pin-file"),
        ("[[custody.keys]]\nkind = \"file\"\npath = \"a\"\nstate = \"new\"", "active or retired"),
        ("[[custody.keys]]\nkind = \"pkcs11\"\nmodule = \"a\"", "has a token"),
        ("[custody]\nkeys = 3", "[[custody.keys]]"),
    ] {
        fs::write(&path, format!("data = \"x\"\n{text}\n")).unwrap();
        let ran = Ran::of(portal().args(["config", "check"]).arg(&path).output().unwrap());
        assert_eq!(ran.code, Some(2), "{text}: {}", ran.said());
        assert!(ran.stderr.contains(said), "{text}: {}", ran.stderr);
    }
}

#[test]
fn the_settings_of_keys_are_shown_as_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portal.toml");
    let arn = "arn:aws:kms:eu-west-1:123456789012:key/0a1b";
    let kms = format!("kind = \"aws-kms\"\narn = {arn:?}\nstate = \"retired\"");
    let keys = [file("a.key", "active"), kms];
    fs::write(&path, format!("data = \"x\"\n{}", settings(&keys, "file:00"))).unwrap();
    let show = |path: &Path, json: &[&str]| {
        let ran = Ran::of(
            portal().args(["config", "show", "--config"]).arg(path).args(json).output().unwrap(),
        );
        assert_eq!(ran.code, Some(0), "{}", ran.said());
        ran.stdout
    };
    let again = folder.path().join("again.toml");
    fs::write(&again, show(&path, &[])).unwrap();
    let keys = |path: &Path| -> Vec<Value> {
        let shown: Value = serde_json::from_str(&show(path, &["--json"])).unwrap();
        let mut keys = shown["custody"]["keys"].as_array().unwrap().clone();
        keys.iter_mut().for_each(|key| key["from"] = Value::Null);
        keys
    };
    assert_eq!(keys(&path).len(), 2);
    assert_eq!(keys(&path), keys(&again));
}

#[cfg(feature = "pkcs11")]
fn write_pin(folder: &TempDir, mode: u32) {
    use std::os::unix::fs::PermissionsExt;

    let path = folder.path().join("pin");
    fs::write(&path, format!("{}\n", backup_testkit::SoftHsm::PIN)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(feature = "pkcs11")]
#[test]
fn a_pin_that_others_can_read_or_change_is_not_used() {
    use backup_testkit::SoftHsm;

    let (folder, hsm) = (tempfile::tempdir().unwrap(), SoftHsm::with_keys(&["kek"]));
    let key = format!(
        "kind = \"pkcs11\"\nmodule = {:?}\ntoken = {:?}\nkey = \"kek\"\npin-file = \"pin\"",
        SoftHsm::MODULE,
        SoftHsm::TOKEN
    );
    let (name, value) = hsm.variable();
    write_pin(&folder, 0o600);
    let more = vec![(name, value.into_os_string())];
    let (mut world, _) = backed_up(folder, &settings(&[key], ""), more);
    assert_eq!(world.stop_service(), Some(0));
    for mode in [0o640, 0o604, 0o620, 0o602] {
        write_pin(&world.folder, mode);
        let ran = refusal(&world);
        assert!(ran.stderr.contains("chmod 600"), "{mode:o}: {}", ran.said());
        assert!(!ran.said().contains(SoftHsm::PIN));
    }
    write_pin(&world.folder, 0o400);
    world.restart_service();
}

#[cfg(all(feature = "aws-kms", feature = "pkcs11"))]
#[test]
fn a_wallet_is_recovered_while_any_one_of_three_kinds_of_keys_is_lost() {
    use backup_testkit::{MOTO_CREDENTIALS, Moto, SoftHsm};

    let folder = tempfile::tempdir().unwrap();
    let (moto, hsm) = (Moto::start(1), SoftHsm::with_keys(&["kek"]));
    let file_id = make_key(&folder, "one.key");
    write_pin(&folder, 0o600);
    let (arn, url) = (&moto.arns()[0], moto.url());
    let keys = [
        (file_id, file("one.key", "active")),
        (
            format!("aws-kms:{arn}"),
            format!("kind = \"aws-kms\"\narn = {arn:?}\nendpoint = {url:?}"),
        ),
        (
            format!("pkcs11:token={};object=kek", SoftHsm::TOKEN),
            format!(
                "kind = \"pkcs11\"\nmodule = {:?}\ntoken = {:?}\nkey = \"kek\"\npin-file = \"pin\"",
                SoftHsm::MODULE,
                SoftHsm::TOKEN
            ),
        ),
    ];
    let (name, value) = hsm.variable();
    let mut more = vec![(name, value.into_os_string())];
    more.extend(MOTO_CREDENTIALS.map(|(name, value)| (name, value.into())));
    let all: Vec<_> = keys.iter().map(|(_, key)| key.clone()).collect();
    let (mut world, client) = backed_up(folder, &settings(&all, ""), more);
    assert_eq!(admin(&world, "verify").code, Some(0));
    for (lost, (id, _)) in keys.iter().enumerate() {
        let mut left = all.clone();
        left.remove(lost);
        restart_with(&mut world, &settings(&left, id));
        recover(&world, &client, &format!("without-{lost}"));
    }
    // Each recovery made new halves without one of the keys: all of it comes under all of them.
    restart_with(&mut world, &settings(&all, ""));
    let done = admin(&world, "rewrap");
    assert_eq!(done.code, Some(0), "{}", done.said());
    assert_eq!(admin(&world, "verify").code, Some(0));
}
