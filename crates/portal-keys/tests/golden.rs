//! The golden vectors: what ever opened opens, what ever was refused is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/vector.rs"]
mod vector;

type TestResult = Result<(), Box<dyn std::error::Error>>;

fn opens(path: &Path) -> TestResult {
    Ok(vector::read_vector(path).open()?)
}

fn is_refused(path: &Path) -> TestResult {
    let vector = vector::read_vector(path);
    let error = vector.open().expect_err("a refused vector opened");
    assert_eq!(Some(format!("{:?}", error.kind())), vector.error);
    Ok(())
}

datatest_stable::harness! {
    { test = opens, root = "tests/vectors/opens", pattern = r".*\.json$" },
    { test = is_refused, root = "tests/vectors/refused", pattern = r".*\.json$" },
}
