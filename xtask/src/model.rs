//! `cargo xtask model`: the checked model of the tests, within its larger bounds.

use anyhow::Result;
use xshell::cmd;

use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let model = ["--package", "portal-tests", "--test", "model", "--", "lose_no_wallet"];
    cmd!(workspace.sh, "cargo test {model...} --nocapture")
        .env("PORTAL_MODEL_LARGER", "1")
        .run()?;
    Ok(())
}
