//! The golden vectors: what ever opened opens, what ever was refused is refused.

use std::path::Path;

#[path = "support/vector.rs"]
mod vector;

use vector::Vector;

type TestResult = Result<(), Box<dyn std::error::Error>>;

fn opens(path: &Path) -> TestResult {
    Vector::read(path)?.opens()
}

fn is_refused(path: &Path) -> TestResult {
    Vector::read(path)?.is_refused();
    Ok(())
}

datatest_stable::harness! {
    { test = opens, root = "tests/vectors/opens", pattern = r".*\.json$" },
    { test = is_refused, root = "tests/vectors/refused", pattern = r".*\.json$" },
}
