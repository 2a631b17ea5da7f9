//! Writes the golden vectors that do not exist yet; those that exist are never touched.
//!
//! `cargo run -p portal-client --example make_device_vectors`

#![allow(clippy::unwrap_used, reason = "run by hand, by whoever adds a vector")]

use std::{
    fs,
    path::{Path, PathBuf},
};

#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../tests/it/sample.rs"]
mod sample;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    sample::fill(&mut sample::store(folder.path()).begin().unwrap());
    if !vector("version-1").exists() {
        copy(folder.path(), "version-1");
    }
    if !vector("run-2").exists() {
        let folder = tempfile::tempdir().unwrap();
        let store = sample::store(folder.path());
        sample::fill_sealed(&store.begin().unwrap());
        copy(folder.path(), "run-2");
    }
    refused("later-state", "state", |bytes| bytes["portal-device-".len()] = b'2');
    refused("later-journal", "journal", |bytes| bytes["portal-journal-".len()] = b'2');
    refused("damaged-state", "state", |bytes| *bytes.last_mut().unwrap() ^= 1);
    refused("damaged-journal", "journal", |bytes| *bytes.last_mut().unwrap() ^= 1);
    refused("another-commitment", "state", |bytes| bytes["portal-device-1\n".len() + 32] ^= 1);
    refused("empty-state", "state", Vec::clear);
    let state = fs::read(file("version-1", "state")).unwrap();
    refused("state-as-journal", "journal", |bytes| *bytes = state);
}

fn refused(name: &str, ending: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let name = format!("refused/{name}");
    if vector(&name).exists() {
        return;
    }
    copy(&vector("version-1"), &name);
    let mut bytes = fs::read(file(&name, ending)).unwrap();
    change(&mut bytes);
    fs::write(file(&name, ending), bytes).unwrap();
}

/// All but the lock, which holds nothing.
fn copy(from: &Path, name: &str) {
    fs::create_dir_all(vector(name)).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        if entry.metadata().unwrap().len() > 0 {
            fs::copy(entry.path(), vector(name).join(entry.file_name())).unwrap();
        }
    }
}

fn file(name: &str, ending: &str) -> PathBuf {
    let mut entries = fs::read_dir(vector(name)).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.extension().is_some_and(|found| found == ending)).unwrap()
}

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)
}
