//! `cargo xtask ci`: every check that a change must pass besides the tests.

use std::time::Instant;

use anyhow::{Result, bail};
use clap::ValueEnum;
use xshell::cmd;

use crate::{
    crash, fuzz, layers,
    setup::{self, Purpose},
    workspace::{Workspace, is_ci},
};

mod deny;
mod msrv;
mod package;
mod rules;
mod tidy;

/// One check; they run in this order.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Check {
    /// Layout of the code
    Fmt,
    /// Rules of text and files that no other tool knows
    Tidy,
    /// Which crate imports which
    Layers,
    /// Lints, with default features and with all
    Clippy,
    /// Bans, licenses and sources of dependencies; advisories where a database is present
    Deny,
    /// Documentation without a broken link
    Docs,
    /// The crates that run in a browser build for it
    Wasm,
    /// Each published crate builds with the oldest Rust that it promises
    Msrv,
    /// Packages can be made, and each can be depended on alone
    Package,
    /// No crash loses a wallet: some points of every scenario
    Crash,
    /// A minute of fuzzing
    Fuzz,
    /// Nothing of the above changed or left a file
    Clean,
}

const FUZZ_SECONDS: u64 = 60;

/// Runs all checks even if one fails, so that one run names everything there is to mend.
pub(crate) fn run(workspace: &Workspace, only: &[Check]) -> Result<()> {
    setup::run(workspace, Purpose::Ci, false)?;
    let checks = if only.is_empty() { Check::value_variants() } else { only };
    let mut failed = Vec::new();
    for check in checks {
        println!("\n==> {check:?}");
        let start = Instant::now();
        if let Err(error) = check.run(workspace) {
            eprintln!("{check:?} failed: {error:#}");
            failed.push(format!("{check:?}"));
        }
        println!("<== {check:?}, {} s", start.elapsed().as_secs());
    }
    if !failed.is_empty() {
        bail!("these checks failed: {}", failed.join(", "));
    }
    println!("\nAll checks passed: {}", checks.len());
    Ok(())
}

impl Check {
    fn run(self, workspace: &Workspace) -> Result<()> {
        match self {
            Self::Fmt => fmt(workspace),
            Self::Tidy => tidy::run(workspace),
            Self::Layers => layers::run(workspace),
            Self::Clippy => clippy(workspace),
            Self::Deny => deny::run(workspace),
            Self::Docs => docs(workspace),
            Self::Wasm => wasm(workspace),
            Self::Msrv => msrv::run(workspace),
            Self::Package => package::run(workspace),
            Self::Crash => crash::sample(workspace),
            Self::Fuzz => fuzz::run(workspace, None, FUZZ_SECONDS),
            Self::Clean => clean(workspace),
        }
    }
}

fn fmt(workspace: &Workspace) -> Result<()> {
    Ok(cmd!(workspace.sh, "cargo fmt --all --check").run()?)
}

fn clippy(workspace: &Workspace) -> Result<()> {
    for features in [None, Some("--all-features")] {
        cmd!(workspace.sh, "cargo clippy --workspace --all-targets {features...} -- -D warnings")
            .run()?;
    }
    Ok(())
}

fn docs(workspace: &Workspace) -> Result<()> {
    cmd!(workspace.sh, "cargo doc --workspace --no-deps --all-features")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()?;
    Ok(())
}

fn wasm(workspace: &Workspace) -> Result<()> {
    // The enclave of passkeys is for servers.
    const IN_BROWSERS: [(&str, &str); 3] = [
        ("backup-core", "--all-features"),
        ("backup-methods-passkey", "--features=wasm_js"),
        ("backup-methods-password", "--all-features"),
    ];
    for (name, features) in IN_BROWSERS {
        if !workspace.packages().iter().any(|package| package.name.as_str() == name) {
            println!("{name} is not there yet");
            continue;
        }
        let sh = &workspace.sh;
        cmd!(sh, "cargo check --package {name} {features} --target wasm32-unknown-unknown")
            .run()?;
    }
    Ok(())
}

fn clean(workspace: &Workspace) -> Result<()> {
    let changes = cmd!(workspace.sh, "git status --porcelain").read()?;
    if changes.is_empty() {
        return Ok(());
    }
    if is_ci() {
        bail!("the checks changed or left files:\n{changes}");
    }
    println!("Not committed yet:\n{changes}");
    Ok(())
}
