//! The table of tools: what each is for, how it is found, how it is installed.
//!
//! A new tool is one more row of [`all`].

use std::collections::BTreeSet;

use super::Purpose;

pub(super) const VENV: &str = ".tools/venv";
pub(super) const PYTHON: &str = ".tools/venv/bin/python";
pub(super) const REQUIREMENTS: &str = "xtask/python/requirements.txt";
pub(super) const NPM: &str = ".tools/js";
pub(super) const NPM_LOCK: &str = "tests/js/package-lock.json";

#[derive(Clone, Debug)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) what_for: &'static str,
    pub(super) purpose: Purpose,
    pub(super) presence: Presence,
    pub(super) install: Install,
}

/// How a tool is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// On the `PATH`, or in `.tools/bin`.
    Program(&'static str),
    /// The same, and not older than this, by what its `--version` says.
    ProgramSince(&'static str, &'static str),
    /// A module that the system's Python can import.
    PythonModule(&'static str),
    /// The Python environment, filled from today's requirements.
    Venv,
    /// The packages of npm, as today's lock file names them.
    NpmPackages,
    /// A component of the current Rust toolchain.
    RustComponent(&'static str),
    RustToolchain(String),
}

/// How a tool is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Install {
    Apt(&'static [&'static str]),
    /// A package, its version and how else it is to be built, into `.tools`.
    Cargo(&'static str, &'static str, &'static [&'static str]),
    RustComponent(&'static str),
    RustTarget(&'static str),
    NpmPackages,
    RustToolchain(String),
    Venv,
}

pub(super) fn all(promised_toolchains: &BTreeSet<String>) -> Vec<Tool> {
    let mut tools = vec![
        Tool {
            name: "cargo-nextest".into(),
            what_for: "runs the tests",
            purpose: Purpose::Test,
            presence: Presence::Program("cargo-nextest"),
            install: Install::Cargo(
                "cargo-nextest",
                "0.9.143",
                // It need not update itself, and builds in half the time without TLS.
                &["--no-default-features", "--features", "default-no-update"],
            ),
        },
        Tool {
            name: "python3".into(),
            what_for: "reads and writes our formats a second time, independently",
            purpose: Purpose::Test,
            presence: Presence::Program("python3"),
            install: Install::Apt(&["python3"]),
        },
        Tool {
            name: "python3-venv".into(),
            what_for: "keeps the Python packages inside this repository",
            purpose: Purpose::Test,
            presence: Presence::PythonModule("ensurepip"),
            install: Install::Apt(&["python3-venv"]),
        },
        Tool {
            name: "Python packages".into(),
            what_for: "other cryptography, Google's client, a KMS as AWS has it, an API's fuzzer",
            purpose: Purpose::Test,
            presence: Presence::Venv,
            install: Install::Venv,
        },
        Tool {
            name: "node".into(),
            what_for: "runs Portal's own API class, an authorization server, and a browser's user",
            purpose: Purpose::Test,
            presence: Presence::Program("node"),
            install: Install::Apt(&["nodejs"]),
        },
        Tool {
            name: "npm".into(),
            what_for: "installs what those take",
            purpose: Purpose::Test,
            presence: Presence::Program("npm"),
            install: Install::Apt(&["npm"]),
        },
        Tool {
            name: "npm packages".into(),
            what_for: "Portal's own API class, that authorization server, what drives the browser",
            purpose: Purpose::Test,
            presence: Presence::NpmPackages,
            install: Install::NpmPackages,
        },
        Tool {
            name: "strace".into(),
            what_for: "sees what a process did to its files before it was killed",
            purpose: Purpose::Test,
            presence: Presence::Program("strace"),
            install: Install::Apt(&["strace"]),
        },
        Tool {
            name: "sqlite3".into(),
            what_for: "copies the service's database as its operator does",
            purpose: Purpose::Test,
            presence: Presence::Program("sqlite3"),
            install: Install::Apt(&["sqlite3"]),
        },
        Tool {
            name: "psql".into(),
            what_for: "asks a PostgreSQL, whose server comes with it, to keep backups in",
            purpose: Purpose::Test,
            presence: Presence::Program("psql"),
            install: Install::Apt(&["postgresql"]),
        },
        Tool {
            name: "promtool".into(),
            what_for: "tries the alarms of the service's metrics",
            purpose: Purpose::Test,
            presence: Presence::Program("promtool"),
            install: Install::Apt(&["prometheus"]),
        },
        Tool {
            name: "systemd-analyze".into(),
            what_for: "reads the service's unit",
            purpose: Purpose::Test,
            presence: Presence::Program("systemd-analyze"),
            install: Install::Apt(&["systemd"]),
        },
        Tool {
            name: "gnome-keyring".into(),
            what_for: "is a real keychain, to put backups into",
            purpose: Purpose::Test,
            presence: Presence::Program("gnome-keyring-daemon"),
            install: Install::Apt(&["gnome-keyring"]),
        },
        Tool {
            name: "dbus-daemon".into(),
            what_for: "is the bus by which a keychain is asked",
            purpose: Purpose::Test,
            presence: Presence::Program("dbus-daemon"),
            install: Install::Apt(&["dbus-daemon"]),
        },
        Tool {
            name: "dbus-send".into(),
            what_for: "sees whether a keychain is on the bus yet",
            purpose: Purpose::Test,
            presence: Presence::Program("dbus-send"),
            install: Install::Apt(&["dbus-bin"]),
        },
        Tool {
            name: "softhsm2-util".into(),
            what_for: "is a security module that speaks PKCS#11, to keep keys in",
            purpose: Purpose::Test,
            presence: Presence::Program("softhsm2-util"),
            install: Install::Apt(&["softhsm2"]),
        },
        Tool {
            name: "chromium".into(),
            what_for: "shows what a page does in a real browser",
            purpose: Purpose::Test,
            presence: Presence::Program("chromium"),
            install: Install::Apt(&["chromium"]),
        },
        Tool {
            name: "rustfmt".into(),
            what_for: "lays out the code",
            purpose: Purpose::Ci,
            presence: Presence::RustComponent("rustfmt"),
            install: Install::RustComponent("rustfmt"),
        },
        Tool {
            name: "clippy".into(),
            what_for: "lints the code",
            purpose: Purpose::Ci,
            presence: Presence::RustComponent("clippy"),
            install: Install::RustComponent("clippy"),
        },
        Tool {
            name: "wasm32-unknown-unknown".into(),
            what_for: "shows that the core builds for a browser",
            purpose: Purpose::Ci,
            presence: Presence::RustComponent("rust-std-wasm32-unknown-unknown"),
            install: Install::RustTarget("wasm32-unknown-unknown"),
        },
        Tool {
            name: "cargo-deny".into(),
            what_for: "checks licenses, sources and bans",
            purpose: Purpose::Ci,
            presence: Presence::ProgramSince("cargo-deny", "0.20.0"),
            install: Install::Cargo("cargo-deny", "0.20.2", &[]),
        },
        Tool {
            name: "cargo-fuzz".into(),
            what_for: "fuzzes the parsers",
            purpose: Purpose::Ci,
            presence: Presence::Program("cargo-fuzz"),
            install: Install::Cargo("cargo-fuzz", "0.13.2", &[]),
        },
        Tool {
            name: "c++".into(),
            what_for: "builds libFuzzer",
            purpose: Purpose::Ci,
            presence: Presence::Program("c++"),
            install: Install::Apt(&["g++"]),
        },
        toolchain("nightly", "is what cargo-fuzz needs"),
    ];
    let promised = promised_toolchains.iter();
    tools.extend(promised.map(|version| toolchain(version, "is the oldest that we promise")));
    tools
}

fn toolchain(name: &str, what_for: &'static str) -> Tool {
    Tool {
        name: format!("Rust {name}"),
        what_for,
        purpose: Purpose::Ci,
        presence: Presence::RustToolchain(name.to_owned()),
        install: Install::RustToolchain(name.to_owned()),
    }
}
