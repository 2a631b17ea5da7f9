//! A second implementation of Portal's blobs, written from their description, writes them; the
//! import opens or refuses them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use portal_tests::python::python;

#[path = "../../../crates/portal-import/tests/support/vector.rs"]
mod vector;

use vector::Vector;

const KINDS: [&str; 2] = ["opens", "refused"];

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/portal-import/tests/vectors")
}

fn write(folder: &Path, seed: Option<&str>) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/portal_blobs.py");
    let output = python().arg(script).arg(folder).args(seed).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn we_open_and_refuse_what_it_writes() {
    let fresh = tempfile::tempdir().unwrap();
    write(fresh.path(), None);
    let [opens, refused] = KINDS.map(|kind| files(&fresh.path().join(kind)));
    assert!(opens.len() >= 30 && refused.len() >= 100, "{} and {}", opens.len(), refused.len());
    for path in opens {
        let opened = Vector::read(&path).unwrap().opens();
        opened.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    for path in refused {
        Vector::read(&path).unwrap().is_refused();
    }
}

#[test]
fn the_committed_vectors_are_what_it_writes_for_their_seed() {
    let again = tempfile::tempdir().unwrap();
    write(again.path(), Some("portal-import 1"));
    for kind in KINDS {
        for path in files(&committed().join(kind)) {
            let written = again.path().join(kind).join(path.file_name().unwrap());
            assert_eq!(fs::read(&path).unwrap(), fs::read(written).unwrap(), "{}", path.display());
        }
    }
}
