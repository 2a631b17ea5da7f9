//! `cargo xtask bench`: the benchmarks of the package `portal-tests`.

use anyhow::{Result, bail};
use cargo_metadata::Target;
use xshell::cmd;

use crate::workspace::Workspace;

const PACKAGE: &str = "portal-tests";

pub(crate) fn run(workspace: &Workspace, name: Option<&str>) -> Result<()> {
    let mut benchmarks = benchmarks(workspace);
    if let Some(wanted) = name {
        if !benchmarks.iter().any(|benchmark| benchmark.name == wanted) {
            let names: Vec<_> = benchmarks.iter().map(|benchmark| &*benchmark.name).collect();
            bail!("no benchmark is called {wanted}; there are: {}", names.join(", "));
        }
        benchmarks.retain(|benchmark| benchmark.name == wanted);
    }
    for Target { name, required_features, .. } in benchmarks {
        let features = required_features.join(",");
        let chosen = ["--package", PACKAGE, "--features", &features, "--bench", name];
        cmd!(workspace.sh, "cargo bench {chosen...}").run()?;
    }
    Ok(())
}

fn benchmarks(workspace: &Workspace) -> Vec<&Target> {
    let packages = workspace.packages().iter().filter(|package| package.name.as_str() == PACKAGE);
    packages.flat_map(|package| &package.targets).filter(|target| target.is_bench()).collect()
}
