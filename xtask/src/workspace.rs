//! The workspace as every task sees it: its root, its packages and a shell that finds its tools.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand, Package};
use xshell::{Shell, cmd};

/// Where our own tools are installed, below the root.
pub(crate) const TOOLS: &str = ".tools";

#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) sh: Shell,
    metadata: Metadata,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let metadata = MetadataCommand::new().current_dir(&root).no_deps().exec()?;
        let sh = Shell::new()?;
        sh.change_dir(&root);
        sh.set_var("PATH", path_with_tools(&root)?);
        Ok(Self { sh, metadata })
    }

    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    pub(crate) fn target(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    pub(crate) fn packages(&self) -> &[Package] {
        &self.metadata.packages
    }

    /// The packages that others may depend on: those without `publish = false`.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.packages().iter().filter(|package| package.publish != Some(Vec::new()))
    }

    /// The toolchains that the published packages promise to build with, such as `1.89.0`, besides
    /// the one that builds everything here.
    pub(crate) fn promised_toolchains(&self) -> Result<BTreeSet<String>> {
        let current = cmd!(self.sh, "rustc --version").quiet().read()?;
        let current = current.split_whitespace().nth(1).context("rustc has no version")?;
        let promised = self.published().filter_map(promised_toolchain);
        Ok(promised.filter(|promised| promised != current).collect())
    }
}

pub(crate) fn promised_toolchain(package: &Package) -> Option<String> {
    package.rust_version.as_ref().map(ToString::to_string)
}

/// Whether this is an automatic run, where nobody can answer a question.
pub(crate) fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true")
}

fn path_with_tools(root: &Path) -> Result<OsString> {
    let tools = root.join(TOOLS).join("bin");
    let inherited = env::var_os("PATH").context("PATH is not set")?;
    let all = [tools].into_iter().chain(env::split_paths(&inherited));
    Ok(env::join_paths(all.collect::<Vec<PathBuf>>())?)
}
