//! `cargo xtask setup`: says what is missing on this machine, asks where it must, and installs it.

use std::io::{self, Write};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use xshell::cmd;

use crate::{
    setup::{
        plan::{Consent, Plan},
        probe::Machine,
        tools::Install,
    },
    workspace::Workspace,
};

mod plan;
mod probe;
mod tools;

/// What the machine is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Purpose {
    /// Running the tests
    Test,
    /// Making the checks of CI besides the tests
    Ci,
    /// Both
    All,
}

impl Purpose {
    fn needs(self, tool: Purpose) -> bool {
        self == Purpose::All || tool == Purpose::All || self == tool
    }
}

pub(crate) fn run(workspace: &Workspace, purpose: Purpose, yes: bool) -> Result<()> {
    let machine = Machine::new(workspace);
    let caller = machine.caller(yes);
    let tools = tools::all(&workspace.promised_toolchains()?);
    let wanted = tools.into_iter().filter(|tool| purpose.needs(tool.purpose));
    let plan = Plan::new(wanted.collect(), &caller, |presence| machine.has(presence));

    if !plan.missing.is_empty() {
        println!("{plan}");
    }
    match plan.consent(&caller) {
        Consent::NothingToDo => return Ok(()),
        Consent::Given => {}
        Consent::Ask => ask()?,
        Consent::Impossible(why) => bail!("{why}"),
    }
    for step in &plan.steps {
        let (program, args) = step.split_first().context("a step without a program")?;
        cmd!(workspace.sh, "{program} {args...}").run()?;
    }
    let is_installed = |what| plan.missing.iter().any(|tool| tool.install == what);
    if is_installed(Install::Venv) {
        probe::mark_venv_complete(workspace)?;
    }
    if is_installed(Install::NpmPackages) {
        probe::mark_npm_packages_complete(workspace)?;
    }
    Ok(())
}

fn ask() -> Result<()> {
    print!("Run these commands? [y/N] ");
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if !matches!(answer.trim(), "y" | "Y" | "yes") {
        bail!("nothing was installed");
    }
    Ok(())
}
