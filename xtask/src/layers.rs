//! `cargo xtask layers`: arrows between our crates run one way, and the core stays light.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use cargo_metadata::{DependencyKind, Package};
use xshell::cmd;

use crate::{
    layers::rules::{CORE, Crate, Graph, Import},
    workspace::Workspace,
};

mod rules;

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let graph = graph(workspace)?;
    let violations = rules::violations(&graph);
    if !violations.is_empty() {
        bail!("the layers are broken:\n  {}", violations.join("\n  "));
    }
    let (crates, core) = (graph.crates.len(), graph.core_tree.len());
    println!("layers: {crates} crates in order; {CORE} pulls in {core} crates");
    Ok(())
}

fn graph(workspace: &Workspace) -> Result<Graph> {
    let all = ["--workspace", "--edges", "all"];
    let core = ["--package", CORE, "--edges", "normal,build"];
    let crates = workspace.packages().iter().map(|package| imports(workspace, package)).collect();
    let (mut core_tree, everything) = (tree(workspace, &core)?, tree(workspace, &all)?);
    core_tree.remove(CORE);
    Ok(Graph { crates, core_tree, everything })
}

/// What the package imports of ours.
fn imports(workspace: &Workspace, package: &Package) -> Crate {
    let ours: BTreeSet<_> = workspace.packages().iter().map(|package| &*package.name).collect();
    let own = package.dependencies.iter().filter(|import| ours.contains(&import.name));
    let imports = own.map(|import| Import {
        name: import.name.clone(),
        for_tests: import.kind == DependencyKind::Development,
    });
    Crate { name: package.name.to_string(), imports: imports.collect() }
}

/// What somebody gets who depends on these packages alone. `cargo metadata` cannot tell: it unites
/// the features that all members ask for, and names optional packages that nobody turned on.
fn tree(workspace: &Workspace, of: &[&str]) -> Result<BTreeSet<String>> {
    let tree = cmd!(workspace.sh, "cargo tree {of...} --all-features --target all")
        .args(["--prefix", "none", "--format", "{p}"])
        .quiet()
        .read()?;
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    Ok(names.map(str::to_owned).collect())
}
