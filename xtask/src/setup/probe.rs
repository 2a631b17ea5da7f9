//! Looks at the machine: which tools it has.

use std::{
    cell::OnceCell,
    env,
    io::{IsTerminal, stdin},
    path::PathBuf,
};

use anyhow::Result;
use cargo_metadata::semver::Version;
use xshell::cmd;

use super::{
    plan::Caller,
    tools::{NPM, NPM_LOCK, PYTHON, Presence, REQUIREMENTS, VENV},
};
use crate::workspace::{Workspace, is_ci};

#[derive(Debug)]
pub(super) struct Machine<'a> {
    workspace: &'a Workspace,
    rust_components: OnceCell<String>,
    rust_toolchains: OnceCell<String>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(workspace: &'a Workspace) -> Self {
        Self { workspace, rust_components: OnceCell::new(), rust_toolchains: OnceCell::new() }
    }

    pub(super) fn caller(&self, yes: bool) -> Caller {
        Caller {
            is_root: self.output("id", &["-u"]).is_some_and(|id| id == "0"),
            has_sudo: self.find("sudo").is_some(),
            has_apt: self.find("apt-get").is_some(),
            agreed: yes || is_ci(),
            at_terminal: stdin().is_terminal(),
        }
    }

    pub(super) fn has(&self, presence: &Presence) -> bool {
        match presence {
            Presence::Program(name) => self.find(name).is_some(),
            Presence::ProgramSince(name, oldest) => self.is_since(name, oldest),
            Presence::PythonModule(name) => {
                self.output("python3", &["-c", &format!("import {name}")]).is_some()
            }
            Presence::Venv => self.has_venv(),
            Presence::NpmPackages => {
                let sh = &self.workspace.sh;
                let marked = sh.read_file(npm_mark()).ok();
                marked.is_some() && marked == sh.read_file(NPM_LOCK).ok()
            }
            Presence::RustComponent(name) => has_line(self.rust_components(), name),
            Presence::RustToolchain(name) => has_line(self.rust_toolchains(), name),
        }
    }

    fn find(&self, program: &str) -> Option<PathBuf> {
        let path = self.workspace.sh.var_os("PATH")?;
        env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
    }

    fn is_since(&self, program: &str, oldest: &str) -> bool {
        let Some(said) = self.output(program, &["--version"]) else { return false };
        let found = said.split_whitespace().nth(1).and_then(|word| Version::parse(word).ok());
        found >= Version::parse(oldest).ok()
    }

    fn has_venv(&self) -> bool {
        let sh = &self.workspace.sh;
        let marked = sh.read_file(venv_mark()).ok();
        marked.is_some()
            && marked == sh.read_file(REQUIREMENTS).ok()
            // A newer Python of the system leaves an environment without its packages.
            && self.output(PYTHON, &["-c", "import argon2, cryptography"]).is_some()
    }

    fn rust_components(&self) -> &str {
        let list = || self.output("rustup", &["component", "list", "--installed"]);
        self.rust_components.get_or_init(|| list().unwrap_or_default())
    }

    fn rust_toolchains(&self) -> &str {
        let list = || self.output("rustup", &["toolchain", "list", "--quiet"]);
        self.rust_toolchains.get_or_init(|| list().unwrap_or_default())
    }

    fn output(&self, program: &str, args: &[&str]) -> Option<String> {
        cmd!(self.workspace.sh, "{program} {args...}").quiet().ignore_stderr().read().ok()
    }
}

/// Remembers what the environment was filled from, so that a changed list fills it anew.
pub(super) fn mark_venv_complete(workspace: &Workspace) -> Result<()> {
    Ok(workspace.sh.copy_file(REQUIREMENTS, venv_mark())?)
}

fn venv_mark() -> String {
    format!("{VENV}/requirements.txt")
}

/// The same for the packages of npm. What installs them removes the old ones, and with them the
/// mark, before it begins.
pub(super) fn mark_npm_packages_complete(workspace: &Workspace) -> Result<()> {
    Ok(workspace.sh.copy_file(NPM_LOCK, npm_mark())?)
}

fn npm_mark() -> String {
    format!("{NPM}/node_modules/.complete")
}

/// Rustup's lines are a name and a host: `clippy-x86_64-unknown-linux-gnu`.
fn has_line(lines: &str, name: &str) -> bool {
    lines.lines().any(|line| {
        line.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

#[cfg(test)]
mod tests {
    use super::has_line;

    #[test]
    fn a_component_is_found_by_its_name_whatever_the_host() {
        let lines = "clippy-x86_64-unknown-linux-gnu\nrust-std-wasm32-unknown-unknown";
        assert!(has_line(lines, "clippy"));
        assert!(has_line(lines, "rust-std-wasm32-unknown-unknown"));
        assert!(!has_line(lines, "clip"));
    }

    #[test]
    fn a_toolchain_is_not_taken_for_another_that_begins_alike() {
        assert!(!has_line("1.88.01-x86_64-unknown-linux-gnu", "1.88.0"));
    }
}
