//! The Python environment that `cargo xtask setup` makes.

use std::{path::Path, process::Command};

/// A command that runs the environment's Python.
///
/// # Panics
///
/// If there is no environment: a test that needs it fails and says how to get it.
#[must_use]
pub fn python() -> Command {
    // Found from whichever crate's tests use this file.
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let root = folders.find(|folder| folder.join("Cargo.lock").exists());
    let python = root.expect("a crate of the repository").join(".tools/venv/bin/python");
    assert!(python.exists(), "this test needs Python packages: run `cargo xtask setup`");
    Command::new(python)
}

/// What `code` prints.
///
/// # Panics
///
/// If it fails.
#[must_use]
pub fn output_of(code: &str) -> String {
    let output = python().args(["-c", code]).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("Python prints text").trim().to_owned()
}
