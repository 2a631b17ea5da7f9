//! `cargo xtask layers`: arrows between our crates run one way, and the core stays light.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use cargo_metadata::{DependencyKind, Metadata, Package};
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
    let everything = names(&workspace.resolved()?);
    let crates = workspace.packages().iter().map(|package| imports(workspace, package)).collect();
    Ok(Graph { crates, core_tree: core_tree(workspace)?, everything })
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

/// Every package that the resolver reached. Cargo.lock would also name optional ones never used.
fn names(resolved: &Metadata) -> BTreeSet<String> {
    let nodes = resolved.resolve.iter().flat_map(|resolve| &resolve.nodes);
    nodes.map(|node| resolved[&node.id].name.to_string()).collect()
}

/// `cargo metadata` unites the features that all members ask for; `cargo tree` can tell what
/// somebody gets who depends on the core alone.
fn core_tree(workspace: &Workspace) -> Result<BTreeSet<String>> {
    let tree = cmd!(workspace.sh, "cargo tree --package {CORE} --all-features --target all")
        .args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .quiet()
        .read()?;
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    Ok(names.filter(|name| *name != CORE).map(str::to_owned).collect())
}
