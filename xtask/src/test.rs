//! `cargo xtask test`: every test of the workspace, once, with every feature.

use anyhow::Result;
use xshell::cmd;

use crate::{
    setup::{self, Purpose},
    workspace::Workspace,
};

pub(crate) fn run(workspace: &Workspace, nextest_args: &[String]) -> Result<()> {
    setup::run(workspace, Purpose::Test, false)?;
    let sh = &workspace.sh;
    if nextest_args.is_empty() {
        cmd!(sh, "cargo test --doc --workspace --all-features").run()?;
    }
    cmd!(sh, "cargo-nextest nextest run --workspace --all-features {nextest_args...}").run()?;
    Ok(())
}
