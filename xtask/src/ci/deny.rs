//! What is known of our dependencies: bans, licenses, sources and, where possible, advisories.

use std::{env, fs, path::PathBuf};

use anyhow::Result;
use xshell::cmd;

use crate::workspace::Workspace;

pub(super) fn run(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    // Cargo-deny looks at the packages of every platform, and builds fetch only those of one.
    cmd!(sh, "cargo fetch --quiet").run()?;
    cmd!(sh, "cargo-deny --all-features --offline check bans licenses sources").run()?;
    if has_advisories() {
        cmd!(sh, "cargo-deny --all-features --offline check advisories").run()?;
    } else {
        println!("SKIPPED: advisories, for no clone of the database is on this machine.");
        println!("To check them, with a network: cargo deny check advisories");
    }
    Ok(())
}

fn has_advisories() -> bool {
    let databases = cargo_home().map(|home| home.join("advisory-dbs"));
    let clones = databases.and_then(|dir| fs::read_dir(dir).ok()).into_iter().flatten();
    clones.flatten().any(|entry| entry.path().join(".git").exists())
}

fn cargo_home() -> Option<PathBuf> {
    let default = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(default)
}
