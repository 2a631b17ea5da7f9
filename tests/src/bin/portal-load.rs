//! Loads a service, and says whether it keeps the bounds that it is to keep.

use std::process::ExitCode;

use clap::Parser;
use portal_tests::{load::Load, own_process::has_served};

/// Load a service with many clients at once: their errors, its memory, quick answers, commits
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    load: Load,
}

fn main() -> ExitCode {
    if has_served() || Cli::parse().load.run() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
