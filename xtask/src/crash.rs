//! `cargo xtask crash`: kills devices and services between any two effects, and counts the wallets
//! lost. `docs/crash.md` says more.

use anyhow::Result;
use xshell::cmd;

use crate::{
    setup::{self, Purpose},
    workspace::Workspace,
};

/// Every scenario, side and kind of death on the quicker curve; the longest operations on both.
const SAMPLES: [&[&str]; 2] = [
    &["--ed25519-only", "--every", "13"],
    &["--scenario", "back-up-stored", "--scenario", "recover", "--every", "61"],
];

/// Tries what `arguments` say: everything, if there are none.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    setup::run(workspace, Purpose::Test, false)?;
    // With what the tests are built with, and so with its features: nothing is built twice.
    let build = ["--workspace", "--all-features", "--bins", "--tests"];
    cmd!(workspace.sh, "cargo build {build...}").run()?;
    let program = workspace.target().join("debug/portal-crash");
    Ok(cmd!(workspace.sh, "{program} sweep {arguments...}").run()?)
}

/// Tries some points.
pub(crate) fn sample(workspace: &Workspace) -> Result<()> {
    let tried = |arguments: &[&str]| {
        run(workspace, &arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    SAMPLES.into_iter().try_for_each(tried)
}
