//! Set-up, tests, CI and checks of the architecture: `cargo xtask help`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{ci::Check, setup::Purpose, workspace::Workspace};

mod bench;
mod ci;
mod crash;
mod fuzz;
mod layers;
mod load;
mod model;
mod openapi;
mod setup;
mod test;
mod workspace;

/// Everything a contributor runs besides `cargo build`.
///
/// New here? `cargo xtask test` installs what the tests need and runs them; `cargo xtask ci`
/// makes all the other checks that a change must pass.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run every test of the workspace, after installing what they need
    Test {
        /// Passed on to cargo-nextest; with any, documentation tests are left out
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        nextest_args: Vec<String>,
    },
    /// Make every check that CI makes besides `test`: style, layers, licenses, packages, fuzzing
    Ci {
        /// Make these checks only
        checks: Vec<Check>,
    },
    /// List what is missing on this machine, and install it
    Setup {
        /// What the machine is to be used for
        #[arg(long = "for", value_enum, default_value_t = Purpose::All)]
        purpose: Purpose,
        /// Install without asking
        #[arg(long)]
        yes: bool,
    },
    /// Check which crate imports which, and that the core pulls in no runtime, HTTP or TLS
    Layers,
    /// Kill devices and services at every point, and count the wallets lost: none
    Crash {
        /// Passed on: `cargo xtask crash -- --help` lists what there is
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Load a service with many clients for a quarter of an hour, beside its bounds
    Load {
        /// Passed on: `cargo xtask load -- --help` lists what there is
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Try every order of what devices and service do, within larger bounds than the tests: minutes
    Model,
    /// Fuzz the parsers, all of them or one, from their seeds
    Fuzz {
        /// One target of tests/fuzz
        target: Option<String>,
        /// Time for all targets together
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// The description of the service's routes in OpenAPI
    Openapi {
        #[command(subcommand)]
        action: openapi::Action,
    },
    /// Run the benchmarks, which print how they compare with the raw primitives
    Bench {
        /// One benchmark of the package portal-tests
        name: Option<String>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let workspace = Workspace::load()?;
    match task {
        Task::Test { nextest_args } => test::run(&workspace, &nextest_args),
        Task::Ci { checks } => ci::run(&workspace, &checks),
        Task::Setup { purpose, yes } => setup::run(&workspace, purpose, yes),
        Task::Layers => layers::run(&workspace),
        Task::Crash { arguments } => crash::run(&workspace, &arguments),
        Task::Load { arguments } => load::run(&workspace, &arguments),
        Task::Model => model::run(&workspace),
        Task::Fuzz { target, seconds } => fuzz::run(&workspace, target.as_deref(), seconds),
        Task::Openapi { action } => openapi::run(&workspace, &action),
        Task::Bench { name } => bench::run(&workspace, name.as_deref()),
    }
}
