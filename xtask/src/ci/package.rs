//! Each crate can be packaged, and taken alone by somebody who has none of this workspace.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Package, Target};
use xshell::cmd;

use crate::workspace::{Workspace, is_ci};

pub(super) fn run(workspace: &Workspace) -> Result<()> {
    package(workspace)?;
    unpack(workspace)?;
    let libraries = workspace.published().filter(|package| has_library(package));
    libraries.into_iter().try_for_each(|package| check_outside(workspace, package))
}

fn package(workspace: &Workspace) -> Result<()> {
    let all = workspace.packages().iter();
    let published: BTreeSet<_> = workspace.published().map(|package| &package.id).collect();
    let private = all.filter(|package| !published.contains(&package.id));
    let excluded = private.flat_map(|package| ["--exclude", package.name.as_str()]);
    let dirty = (!is_ci()).then_some("--allow-dirty");
    // Each is checked below, outside of the workspace: no need to build it here as well.
    cmd!(workspace.sh, "cargo package --workspace --no-verify {excluded...} {dirty...}").run()?;
    Ok(())
}

fn unpack(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    let unpacked = outside(workspace).join("packages");
    sh.remove_path(&unpacked)?;
    sh.create_dir(&unpacked)?;
    for package in workspace.published() {
        let name = format!("{}.crate", file_stem(package));
        let archive = workspace.target().join("package").join(name);
        // As of now: packages of another day with the same times would pass for those checked then.
        cmd!(sh, "tar --extract --touch --gzip --file {archive} --directory {unpacked}").run()?;
    }
    Ok(())
}

fn check_outside(workspace: &Workspace, package: &Package) -> Result<()> {
    let sh = &workspace.sh;
    let dir = outside(workspace).join(package.name.as_str());
    sh.write_file(dir.join("Cargo.toml"), manifest(workspace, package)?)?;
    sh.write_file(dir.join("src/lib.rs"), source(package))?;
    // The versions that we test with; cargo drops what this crate does not need.
    sh.copy_file(workspace.root().join("Cargo.lock"), dir.join("Cargo.lock"))?;
    // The workspace's own directory has much of what they need, checked.
    let target = workspace.target();
    let _dir = sh.push_dir(dir);
    cmd!(sh, "cargo check --quiet --target-dir {target}").run()?;
    Ok(())
}

fn manifest(workspace: &Workspace, package: &Package) -> Result<String> {
    let (name, version) = (&package.name, &package.version);
    let mut manifest = format!(
        "[package]\nname = \"outside\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\n{name} = \"={version}\"\n\n[patch.crates-io]\n"
    );
    for sibling in with_own_dependencies(workspace, package) {
        let path = outside(workspace).join("packages").join(file_stem(sibling));
        let path = path.to_str().context("the path of the workspace is not UTF-8")?;
        manifest += &format!("{} = {{ path = '{path}' }}\n", sibling.name);
    }
    Ok(manifest)
}

/// The package and those of ours that it needs. Cargo warns of a patch that it does not use.
fn with_own_dependencies<'a>(workspace: &'a Workspace, package: &'a Package) -> Vec<&'a Package> {
    let mut found = vec![package];
    let mut next = 0;
    while let Some(current) = found.get(next) {
        let imports = current.dependencies.iter();
        let needed = imports.filter(|import| import.kind != DependencyKind::Development);
        let names: BTreeSet<_> = needed.map(|import| &import.name).collect();
        let new = workspace.published().filter(|sibling| {
            names.contains(&sibling.name.to_string()) && !found.iter().any(|f| f.id == sibling.id)
        });
        let new: Vec<_> = new.collect();
        found.extend(new);
        next += 1;
    }
    found
}

fn source(package: &Package) -> String {
    let library = package.name.replace('-', "_");
    format!("//! Depends on one crate alone.\n\npub use {library} as the_crate;\n")
}

fn has_library(package: &Package) -> bool {
    package.targets.iter().any(Target::is_lib)
}

fn file_stem(package: &Package) -> String {
    format!("{}-{}", package.name, package.version)
}

fn outside(workspace: &Workspace) -> PathBuf {
    Path::new(workspace.target()).join("outside")
}
