//! `cargo xtask crash`: kills devices and services between any two effects, and counts the wallets
//! lost. `docs/crash.md` says more.

use anyhow::Result;
use xshell::cmd;

use crate::{
    setup::{self, Purpose},
    workspace::Workspace,
};

/// Enough to meet every scenario, side and kind of death.
const SAMPLE: &[&str] = &["--every", "23"];

/// Tries what `arguments` say: everything, if there are none.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    setup::run(workspace, Purpose::Test, false)?;
    let sweep = ["--package", "portal-tests", "--bin", "portal-crash", "--", "sweep"];
    cmd!(workspace.sh, "cargo run {sweep...} {arguments...}").run()?;
    Ok(())
}

/// Tries some points on both curves.
pub(crate) fn sample(workspace: &Workspace) -> Result<()> {
    run(workspace, &SAMPLE.iter().map(ToString::to_string).collect::<Vec<_>>())
}
