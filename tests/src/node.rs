//! The packages of npm that `cargo xtask setup` installs.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A command that runs a script of `tests/js` with those packages.
///
/// # Panics
///
/// If they are not there: a test that needs them fails and says how to get them.
#[must_use]
pub fn node(script: &str) -> Command {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let packages: PathBuf = tests.join("../.tools/js/node_modules");
    assert!(packages.exists(), "this test needs packages of npm: run `cargo xtask setup`");
    let mut node = Command::new("node");
    node.arg(tests.join("js").join(script)).env("NODE_PATH", packages);
    node
}
