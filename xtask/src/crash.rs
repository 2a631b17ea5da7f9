//! `cargo xtask crash`: kills devices and services between any two effects, and counts the wallets
//! lost. `docs/crash.md` says more.

use anyhow::Result;
use xshell::cmd;

use crate::{
    setup::{self, Purpose},
    workspace::Workspace,
};

/// Every scenario, side and kind of death on the quicker curve; the longest operations on both; and
/// what asks for a key, or for a custodian's halves, beside each kind of them.
const SAMPLES: [&[&str]; 7] = [
    &["--ed25519-only", "--every", "13"],
    &["--scenario", "back-up-stored", "--scenario", "recover", "--every", "61"],
    &with("--keys", "aws-kms", "recover", "31"),
    &with("--keys", "pkcs11", "back-up-again", "31"),
    &with("--custodian", "honest", "back-up-again", "7"),
    &with("--custodian", "lies", "enroll-anew-stored", "19"),
    &with("--custodian", "late", "back-up-again", "41"),
];

const fn with<'a>(
    option: &'a str,
    value: &'a str,
    scenario: &'a str,
    every: &'a str,
) -> [&'a str; 7] {
    ["--ed25519-only", option, value, "--scenario", scenario, "--every", every]
}

/// Tries what `arguments` say: everything, if there are none.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    setup::run(workspace, Purpose::Test, false)?;
    // With what the tests are built with, and so with its features: nothing is built twice.
    let build = ["--workspace", "--all-features", "--bins", "--tests"];
    cmd!(workspace.sh, "cargo build {build...}").run()?;
    let program = workspace.target().join("debug/portal-crash");
    Ok(cmd!(workspace.sh, "{program} sweep {arguments...}").run()?)
}

/// Tries some points.
pub(crate) fn sample(workspace: &Workspace) -> Result<()> {
    let tried = |arguments: &[&str]| {
        run(workspace, &arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    SAMPLES.into_iter().try_for_each(tried)
}
