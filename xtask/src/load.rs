//! `cargo xtask load`: a service under load, beside its bounds.

use anyhow::Result;
use xshell::cmd;

use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let program = ["--release", "--package", "portal-tests", "--bin", "portal-load"];
    Ok(cmd!(workspace.sh, "cargo run {program...} -- {arguments...}").run()?)
}
