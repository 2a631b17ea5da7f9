//! The real binary's `demo`.

use std::{fs, process::Command};

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
    assert_eq!(said.matches("the signatures verified").count(), 2, "{said}");
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
fn a_wrong_command_line_exits_with_2_and_help_lists_the_codes() {
    assert_eq!(portal().arg("dmeo").output().unwrap().status.code(), Some(2));
    for arguments in [&["--help"][..], &["demo", "--help"], &["envelope", "inspect", "--help"]] {
        let output = portal().args(arguments).output().unwrap();
        assert!(output.status.success());
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains("Exit codes:"), "{help}");
    }
}
