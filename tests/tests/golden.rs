//! The golden vectors: what ever opened opens, what ever was refused is refused.

use std::{fs, path::Path};

use backup_core::Sealer;
use portal_tests::vector::{Share, Vector, unhex};

type TestResult = Result<(), Box<dyn std::error::Error>>;

fn opens(path: &Path) -> TestResult {
    let vector: Vector = serde_json::from_str(&fs::read_to_string(path)?)?;
    let opened = vector.open()?;
    let shares: Vec<_> = opened.shares.iter().map(Share::of).collect();
    assert_eq!(shares, vector.shares);
    Ok(())
}

fn is_refused(path: &Path) -> TestResult {
    let vector: Vector = serde_json::from_str(&fs::read_to_string(path)?)?;
    let error = vector.open().expect_err("a refused vector opened");
    assert_eq!(Some(format!("{:?}", error.kind())), vector.error);
    Ok(())
}

/// The record still seals, and what it sealed then and seals now opens alike.
fn record_works(path: &Path) -> TestResult {
    let mut vector: Vector = serde_json::from_str(&fs::read_to_string(path)?)?;
    opens(path)?;
    let record = unhex(vector.record.as_deref().ok_or("there is no record")?);
    let sealer = Sealer::decode(&record)?;
    let envelope = sealer.seal(&backup_core::BackupId::generate()?, &vector.open()?.shares)?;
    vector.envelope = envelope.to_string();
    let shares: Vec<_> = vector.open()?.shares.iter().map(Share::of).collect();
    assert_eq!(shares, vector.shares);
    Ok(())
}

fn record_is_refused(path: &Path) -> TestResult {
    let vector: Vector = serde_json::from_str(&fs::read_to_string(path)?)?;
    let record = unhex(vector.record.as_deref().ok_or("there is no record")?);
    let error = Sealer::decode(&record).expect_err("a refused record was read");
    assert_eq!(Some(format!("{:?}", error.kind())), vector.error);
    Ok(())
}

datatest_stable::harness! {
    { test = opens, root = "vectors/envelope/opens", pattern = r".*\.json$" },
    { test = is_refused, root = "vectors/envelope/refused", pattern = r".*\.json$" },
    { test = record_works, root = "vectors/sealing-record/opens", pattern = r".*\.json$" },
    { test = record_is_refused, root = "vectors/sealing-record/refused", pattern = r".*\.json$" },
}
