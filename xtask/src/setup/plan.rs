//! What is to be installed, by which commands, and whether the user must be asked: no I/O.

use std::fmt;

use super::tools::{Install, NPM, NPM_LOCK, PYTHON, Presence, REQUIREMENTS, Tool, VENV};
use crate::workspace::TOOLS;

/// Who runs the set-up, and what they can do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) is_root: bool,
    pub(super) has_sudo: bool,
    pub(super) has_apt: bool,
    /// Agreed beforehand, by `--yes` or because this is CI.
    pub(super) agreed: bool,
    /// Can be asked.
    pub(super) at_terminal: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Consent {
    NothingToDo,
    Given,
    Ask,
    Impossible(String),
}

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) missing: Vec<Tool>,
    pub(super) steps: Vec<Vec<String>>,
}

impl Plan {
    pub(super) fn new(wanted: Vec<Tool>, caller: &Caller, has: impl Fn(&Presence) -> bool) -> Self {
        let missing: Vec<_> = wanted.into_iter().filter(|tool| !has(&tool.presence)).collect();
        let own_steps = missing.iter().flat_map(|tool| commands(&tool.install));
        let steps = apt_commands(&missing, caller).into_iter().chain(own_steps).collect();
        Self { missing, steps }
    }

    /// Only apt changes the system, and so only apt is asked about: the rest stays in `.tools`
    /// and in rustup's directory.
    pub(super) fn consent(&self, caller: &Caller) -> Consent {
        let packages = apt_packages(&self.missing);
        if self.missing.is_empty() {
            Consent::NothingToDo
        } else if packages.is_empty() {
            Consent::Given
        } else if !caller.has_apt {
            Consent::Impossible(format!("no apt-get here; install: {}", packages.join(" ")))
        } else if !caller.is_root && !caller.has_sudo {
            let command = format!("apt-get install {}", packages.join(" "));
            Consent::Impossible(format!("no sudo here; run as root: {command}"))
        } else if caller.agreed {
            Consent::Given
        } else if caller.at_terminal {
            Consent::Ask
        } else {
            let command = "cargo xtask setup --yes";
            Consent::Impossible(format!("nobody to ask here; to install the above: {command}"))
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Missing on this machine:")?;
        for tool in &self.missing {
            writeln!(f, "  {:24} {}", tool.name, tool.what_for)?;
        }
        writeln!(f, "To be installed by:")?;
        self.steps.iter().try_for_each(|step| writeln!(f, "  {}", step.join(" ")))
    }
}

fn apt_packages(missing: &[Tool]) -> Vec<&'static str> {
    let packages = missing.iter().filter_map(|tool| match tool.install {
        Install::Apt(packages) => Some(packages),
        _ => None,
    });
    packages.flatten().copied().collect()
}

/// A fresh Debian has no package lists, hence the update.
fn apt_commands(missing: &[Tool], caller: &Caller) -> Vec<Vec<String>> {
    let packages = apt_packages(missing);
    if packages.is_empty() {
        return Vec::new();
    }
    let install = format!("apt-get install --yes --no-install-recommends {}", packages.join(" "));
    let sudo = if caller.is_root { "" } else { "sudo " };
    ["apt-get update", &install].map(|command| words(&format!("{sudo}{command}"))).into()
}

fn commands(install: &Install) -> Vec<Vec<String>> {
    let command = match install {
        Install::Apt(_) => return Vec::new(),
        Install::Venv => return venv_commands(),
        Install::NpmPackages => return npm_commands(),
        Install::Cargo(package, version, options) => {
            let install = format!("cargo install --locked --root {TOOLS} --version {version}");
            format!("{install} {package} {}", options.join(" "))
        }
        Install::RustComponent(name) => format!("rustup component add {name}"),
        Install::RustTarget(name) => format!("rustup target add {name}"),
        Install::RustToolchain(name) => {
            format!("rustup toolchain install {name} --profile minimal --no-self-update")
        }
    };
    vec![words(&command)]
}

/// Makes the Python environment anew.
fn venv_commands() -> Vec<Vec<String>> {
    let fill = format!("{PYTHON} -m pip install --quiet --require-hashes -r {REQUIREMENTS}");
    vec![words(&format!("python3 -m venv --clear {VENV}")), words(&fill)]
}

/// Scripts of packages are not run, and what a phone has of its own is not fetched.
fn npm_commands() -> Vec<Vec<String>> {
    let manifest = NPM_LOCK.replace("package-lock", "package");
    let options = "--ignore-scripts --legacy-peer-deps --no-audit --no-fund";
    [
        format!("mkdir -p {NPM}"),
        format!("cp {manifest} {NPM_LOCK} {NPM}"),
        format!("npm ci --silent --prefix {NPM} {options}"),
    ]
    .map(|command| words(&command))
    .into()
}

fn words(command: &str) -> Vec<String> {
    command.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::{Purpose, tools};

    const USER: Caller =
        Caller { is_root: false, has_sudo: true, has_apt: true, agreed: false, at_terminal: true };

    #[test]
    fn nothing_missing_means_nothing_is_run() {
        let plan = plan(&USER, |_| true);
        assert!(plan.steps.is_empty());
        assert_eq!(plan.consent(&USER), Consent::NothingToDo);
    }

    #[test]
    fn a_missing_tool_is_listed_with_its_purpose_and_its_command() {
        let list = plan(&USER, |presence| *presence != CARGO_DENY).to_string();
        assert!(list.contains("checks licenses, sources and bans"), "{list}");
        assert!(list.contains("cargo install --locked --root .tools --version 0.20"), "{list}");
        assert!(!list.contains("nextest"), "{list}");
    }

    #[test]
    fn a_user_is_asked_before_apt_is_called_with_sudo() {
        let plan = plan(&USER, |presence| *presence != PYTHON);
        assert_eq!(plan.steps[0].join(" "), "sudo apt-get update");
        assert!(plan.steps[1].starts_with(&words("sudo apt-get install --yes")));
        assert_eq!(plan.consent(&USER), Consent::Ask);
    }

    #[test]
    fn root_calls_apt_without_sudo_and_is_asked_too() {
        let root = Caller { is_root: true, has_sudo: false, ..USER };
        let plan = plan(&root, |presence| *presence != PYTHON);
        assert_eq!(plan.steps[0].join(" "), "apt-get update");
        assert_eq!(plan.consent(&root), Consent::Ask);
    }

    #[test]
    fn ci_is_not_asked() {
        let ci = Caller { agreed: true, at_terminal: false, ..USER };
        assert_eq!(plan(&ci, |_| false).consent(&ci), Consent::Given);
    }

    #[test]
    fn without_a_terminal_apt_is_refused_and_the_command_is_named() {
        let script = Caller { at_terminal: false, ..USER };
        let Consent::Impossible(why) = plan(&script, |_| false).consent(&script) else {
            panic!("apt was to be called");
        };
        assert!(why.contains("cargo xtask setup --yes"), "{why}");
    }

    #[test]
    fn without_sudo_a_user_is_told_what_root_must_run() {
        let user = Caller { has_sudo: false, agreed: true, ..USER };
        let Consent::Impossible(why) = plan(&user, |_| false).consent(&user) else {
            panic!("apt was to be called");
        };
        let wanted = "apt-get install python3 python3-venv nodejs npm strace sqlite3 \
                      postgresql prometheus systemd gnome-keyring dbus-daemon dbus-bin \
                      softhsm2 chromium g++";
        assert!(why.contains(wanted), "{why}");
    }

    #[test]
    fn what_stays_out_of_the_system_needs_no_question() {
        let script = Caller { at_terminal: false, ..USER };
        let plan = plan(&script, |presence| *presence != CARGO_DENY);
        assert_eq!(plan.consent(&script), Consent::Given);
    }

    #[test]
    fn apt_comes_before_what_is_built_with_its_packages() {
        let steps = plan(&USER, |_| false).steps;
        let position = |word: &str| steps.iter().position(|step| step.iter().any(|w| w == word));
        assert!(position("python3-venv") < position("venv"));
    }

    #[test]
    fn tests_need_none_of_the_tools_of_ci() {
        assert!(!Purpose::Test.needs(Purpose::Ci));
        assert!(Purpose::All.needs(Purpose::Ci));
    }

    const CARGO_DENY: Presence = Presence::ProgramSince("cargo-deny", "0.20.0");
    const PYTHON: Presence = Presence::Program("python3");

    fn plan(caller: &Caller, has: impl Fn(&Presence) -> bool) -> Plan {
        Plan::new(tools::all(&["1.88.0".to_owned()].into()), caller, has)
    }
}
