//! Golden vectors and migrations are never changed or removed: `vectors.sha256` lists them all, and
//! only grows. A service does not start on a database whose migrations are not those it was made
//! by.
//!
//! A new one is added to it by `sha256sum`, run in this package's folder.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use portal_tests::vector::hex;
use sha2::{Digest, Sha256};

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn listed() -> BTreeMap<PathBuf, String> {
    let list = fs::read_to_string(package().join("vectors.sha256")).unwrap();
    let entry = |line: &str| {
        let (hash, path) = line.split_once("  ").unwrap();
        (package().join(path), hash.to_owned())
    };
    list.lines().map(entry).collect()
}

#[test]
fn every_listed_file_is_there_and_as_it_was() {
    let listed = listed();
    assert!(listed.len() >= 100, "only {} vectors are listed", listed.len());
    for (path, hash) in listed {
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(hex(&Sha256::digest(bytes)), hash, "{} was changed", path.display());
    }
}

#[test]
fn every_vector_and_migration_is_listed() {
    let listed = listed();
    let migrations = package().join("../crates/portal-server/migrations");
    let mut folders = vec![package().join("vectors"), migrations];
    for name in fs::read_dir(package().join("../crates")).unwrap() {
        let vectors = Path::new("../crates").join(name.unwrap().file_name()).join("tests/vectors");
        folders.extend(Some(package().join(vectors)).filter(|path| path.exists()));
    }
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert!(listed.contains_key(&path), "{} is not listed", path.display());
            }
        }
    }
}
