//! `cargo xtask bench`: the benchmarks of the package `portal-tests`.

use anyhow::{Result, bail};
use xshell::cmd;

use crate::workspace::Workspace;

const PACKAGE: &str = "portal-tests";

pub(crate) fn run(workspace: &Workspace, name: Option<&str>) -> Result<()> {
    let mut names = benchmarks(workspace);
    if let Some(wanted) = name {
        if !names.iter().any(|name| name == wanted) {
            bail!("no benchmark is called {wanted}; there are: {}", names.join(", "));
        }
        names.retain(|name| name == wanted);
    }
    if names.is_empty() {
        println!("There are no benchmarks yet: they belong in tests/benches.");
    }
    for name in names {
        cmd!(workspace.sh, "cargo bench --package {PACKAGE} --bench {name}").run()?;
    }
    Ok(())
}

fn benchmarks(workspace: &Workspace) -> Vec<String> {
    let packages = workspace.packages().iter().filter(|package| package.name.as_str() == PACKAGE);
    let targets = packages.flat_map(|package| &package.targets);
    targets.filter(|target| target.is_bench()).map(|target| target.name.clone()).collect()
}
