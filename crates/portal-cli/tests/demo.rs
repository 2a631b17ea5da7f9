//! The real binary's `demo`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

fn portal() -> Command {
    Command::new(env!("CARGO_BIN_EXE_portal"))
}

#[test]
fn the_demo_ends_with_everything_held_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = portal().arg("demo").env("TMPDIR", folder.path()).output().unwrap();
    let (said, errors) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{said}{errors}");
    assert!(said.contains("Everything held."), "{said}");
    let addresses: Vec<_> = said.lines().filter(|line| line.contains("Your addresses: ")).collect();
    assert_eq!(addresses.len(), 2, "{said}");
    assert_eq!(format!("{}, as before.", addresses[0]), addresses[1]);
    assert_eq!(said.matches("The signatures verified").count(), 2, "{said}");
    assert!(errors.is_empty(), "{errors}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_demo_shows_no_password() {
    let output = portal().arg("demo").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    for word in ["teal", "sesame"] {
        assert!(!said.contains(word), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn without_a_place_for_files_the_demo_fails_and_says_so() {
    let output = portal().arg("demo").env("TMPDIR", "/nonexistent").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.starts_with("error: cannot make a temporary folder"), "{errors}");
}

#[test]
fn for_programs_the_demo_prints_one_object() {
    let output = portal().args(["demo", "--json"]).output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["held"], true);
    assert!(json["addresses"]["ethereum"].as_str().unwrap().starts_with("0x"));
}

#[cfg(unix)]
#[test]
fn interrupted_the_demo_cleans_up_and_its_service_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (mut demo, service) = demo_with_service(folder.path());
    let id = demo.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(demo.wait().unwrap().code(), Some(130));
    assert!(TcpStream::connect(&service).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_service_of_a_demo_that_was_killed_ends_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (mut demo, service) = demo_with_service(folder.path());
    demo.kill().unwrap();
    demo.wait().unwrap();
    let begin = Instant::now();
    while TcpStream::connect(&service).is_ok() {
        assert!(begin.elapsed() < Duration::from_secs(30), "the service is still there");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A demo that has just started its service, and the address of that.
fn demo_with_service(folder: &Path) -> (Child, String) {
    let mut demo =
        portal().arg("demo").env("TMPDIR", folder).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let address = lines.map(Result::unwrap).find_map(|line| {
        let rest = line.split_once("It answers at http://")?.1;
        Some(rest.split_once(' ')?.0.to_owned())
    });
    (demo, address.unwrap())
}
