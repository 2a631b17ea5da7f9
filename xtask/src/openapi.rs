//! `cargo xtask openapi`: the description of the service, and requests made of it.

use anyhow::Result;
use clap::Subcommand;
use xshell::cmd;

use crate::{
    setup::{self, Purpose},
    workspace::Workspace,
};

const DOCUMENT: &str = "crates/portal-api/openapi.json";

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Write the document anew from the types and routes
    Write,
    /// Ask a service at random, for longer than the tests do, whether it keeps to the document
    Ask {
        /// How long
        #[arg(long, default_value_t = 600)]
        seconds: u64,
        /// What its choices follow from
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

pub(crate) fn run(workspace: &Workspace, action: &Action) -> Result<()> {
    match action {
        Action::Write => write(workspace),
        Action::Ask { seconds, seed } => ask(workspace, *seconds, *seed),
    }
}

fn write(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    let describe = ["--package", "portal-api", "--features", "openapi", "--example", "describe"];
    // Read whole before anything is written: what is written is a source of what is run.
    let text = cmd!(sh, "cargo run --quiet {describe...}").read()?;
    Ok(sh.write_file(DOCUMENT, text + "\n")?)
}

fn ask(workspace: &Workspace, seconds: u64, seed: u64) -> Result<()> {
    setup::run(workspace, Purpose::Test, false)?;
    let only = "test(whatever_is_asked_is_answered_as_the_description_says)";
    cmd!(workspace.sh, "cargo-nextest nextest run --workspace --all-features -E {only}")
        .env("PORTAL_ASK_SECONDS", seconds.to_string())
        .env("PORTAL_ASK_SEED", seed.to_string())
        .run()?;
    Ok(())
}
