//! Loads a service, and says whether it keeps the bounds that it is to keep.

use std::process::ExitCode;

use clap::Parser;
use portal_tests::{
    load::{Load, recovering::has_recovered},
    own_process::has_served,
};
use tikv_jemallocator::Jemalloc;
use zeroizing_alloc::ZeroAlloc;

/// The service that is measured is this program once more: it has the allocator of `portal serve`.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<Jemalloc> = ZeroAlloc(Jemalloc);

/// Load a service with many clients at once: their errors, its memory, quick answers, commits
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    load: Load,
}

fn main() -> ExitCode {
    let was_a_part = has_served() || has_recovered();
    if was_a_part || Cli::parse().load.run() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
