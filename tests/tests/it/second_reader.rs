//! A second implementation, written from `docs/format.md` alone, reads what we write and the
//! reverse.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use portal_tests::{
    python::{self, python},
    vector::{Share, Vector},
};

fn second_reader(command: &str) -> Command {
    let mut python = python();
    python.arg(folder("python/second_reader.py")).arg(command);
    python
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn run(mut command: Command) {
    let output = command.output().expect("Python runs");
    let print = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", print(&output.stdout), print(&output.stderr));
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn it_opens_and_refuses_the_golden_vectors_as_we_do() {
    let vectors = files_below(&folder("vectors"));
    assert!(vectors.len() >= 60, "only {} vectors were found", vectors.len());
    let mut open = second_reader("open");
    open.args(vectors);
    run(open);
}

#[test]
fn we_open_what_it_writes() {
    let fresh = tempfile::tempdir().unwrap();
    let mut write = second_reader("write");
    write.arg(fresh.path());
    run(write);
    let vectors = files_below(fresh.path());
    assert!(vectors.len() >= 6, "only {} vectors were written", vectors.len());
    for path in vectors {
        let vector: Vector = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let opened = vector.open().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let shares: Vec<_> = opened.shares.iter().map(Share::of).collect();
        assert_eq!(shares, vector.shares, "{}", path.display());
    }
}

#[test]
fn its_own_hpke_agrees_with_rfc_9180() {
    let vectors = python::output_of(
        "import cryptography_vectors, pathlib; \
         print(pathlib.Path(cryptography_vectors.__file__).parent / 'HPKE/test-vectors.json')",
    );
    let mut hpke = second_reader("hpke");
    hpke.arg(vectors);
    run(hpke);
}
