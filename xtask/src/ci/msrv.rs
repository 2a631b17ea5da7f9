//! The oldest Rust that each published crate promises builds it. What promises the one that is in
//! use is built by every other check.

use anyhow::Result;
use xshell::cmd;

use crate::workspace::{Workspace, promised_toolchain};

pub(super) fn run(workspace: &Workspace) -> Result<()> {
    for toolchain in workspace.promised_toolchains()? {
        let promising = workspace
            .published()
            .filter(|package| promised_toolchain(package).as_ref() == Some(&toolchain))
            .flat_map(|package| ["--package", package.name.as_str()]);
        cmd!(workspace.sh, "cargo check --all-features {promising...}")
            .env("RUSTUP_TOOLCHAIN", &toolchain)
            .run()?;
    }
    Ok(())
}
