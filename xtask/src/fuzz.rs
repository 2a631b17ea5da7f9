//! `cargo xtask fuzz`: the targets of `tests/fuzz`, each for its part of the time.

use anyhow::{Result, bail};
use cargo_metadata::MetadataCommand;
use xshell::cmd;

use crate::{
    setup::{self, Purpose},
    workspace::Workspace,
};

const DIR: &str = "tests/fuzz";

pub(crate) fn run(workspace: &Workspace, target: Option<&str>, seconds: u64) -> Result<()> {
    let mut targets = targets(workspace)?;
    if let Some(wanted) = target {
        if !targets.iter().any(|name| name == wanted) {
            bail!("no fuzz target is called {wanted}; there are: {}", targets.join(", "));
        }
        targets.retain(|name| name == wanted);
    }
    if targets.is_empty() {
        println!("There are no fuzz targets yet: they belong in {DIR}.");
        return Ok(());
    }
    setup::run(workspace, Purpose::Ci, false)?;
    let share = share_of_time(seconds, targets.len());
    targets.iter().try_for_each(|name| fuzz(workspace, name, share))
}

fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let manifest = workspace.root().join(DIR).join("Cargo.toml");
    if !manifest.exists() {
        return Ok(Vec::new());
    }
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
    let targets = metadata.packages.iter().flat_map(|package| &package.targets);
    Ok(targets.filter(|target| target.is_bin()).map(|target| target.name.clone()).collect())
}

/// libFuzzer takes 0 seconds for "without end".
fn share_of_time(seconds: u64, targets: usize) -> u64 {
    (seconds / targets as u64).max(1)
}

fn fuzz(workspace: &Workspace, name: &str, seconds: u64) -> Result<()> {
    let sh = &workspace.sh;
    // libFuzzer writes what it learns to the first directory, and only reads the others.
    let corpus = sh.create_dir(format!("{DIR}/corpus/{name}"))?;
    let seeds = sh.create_dir(format!("{DIR}/seeds/{name}"))?;
    let limit = format!("-max_total_time={seconds}");
    cmd!(sh, "cargo-fuzz fuzz run --fuzz-dir {DIR} {name} {corpus} {seeds} -- {limit}")
        .env("RUSTUP_TOOLCHAIN", "nightly")
        .run()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::share_of_time;

    #[test]
    fn targets_share_the_time() {
        assert_eq!(share_of_time(60, 4), 15);
    }

    #[test]
    fn no_target_runs_without_end() {
        assert_eq!(share_of_time(2, 7), 1);
    }
}
