//! The packages of npm that `cargo xtask setup` installs.

use std::{path::Path, process::Command};

/// A command that runs a script of `tests/js` with those packages.
///
/// # Panics
///
/// If they are not there: a test that needs them fails and says how to get them.
#[must_use]
pub fn node(script: &str) -> Command {
    let root = repository();
    let packages = root.join(".tools/js/node_modules");
    assert!(packages.exists(), "this test needs packages of npm: run `cargo xtask setup`");
    let mut node = Command::new("node");
    node.arg(root.join("tests/js").join(script)).env("NODE_PATH", packages);
    node
}

/// Found from whichever crate's tests use this file.
fn repository() -> &'static Path {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    folders.find(|folder| folder.join("Cargo.lock").exists()).expect("a crate of the repository")
}
