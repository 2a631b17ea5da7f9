//! The golden vectors: what a device ever kept opens, what was ever refused is refused.

use std::{fs, path::Path};

use backup_core::{BackupId, Curve, Envelope, ErrorKind, MethodId, Result};
use portal_client::device::{Step, Trial, WalletOperation};

use crate::sample;

fn begin(name: &str, then: impl FnOnce(Result<&WalletOperation<'_>>)) {
    let vector = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(vector).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let store = sample::store(folder.path());
    match store.begin() {
        Ok(operation) => then(Ok(&operation)),
        Err(error) => then(Err(error)),
    }
}

#[test]
fn version_1_opens() {
    begin("version-1", |operation| {
        let operation = operation.unwrap();
        sample::assert_filled(operation.state());
        assert_eq!(operation.state().generation(), 1);
        let run = operation.journal().run().unwrap();
        assert_eq!(run.method, MethodId::GDRIVE);
        assert_eq!(run.backup, BackupId::new("backup-1").unwrap());
        assert_eq!((run.step, run.envelope, run.completion), (Step::Prepare, None, None));
        let [(method, params)] = &run.announced[..] else { panic!("{:?}", run.announced) };
        assert_eq!((method, params.as_bytes()), (&MethodId::GDRIVE, &[7; 9][..]));
    });
}

#[test]
fn a_run_of_version_2_opens_with_all_that_its_commit_takes() {
    begin("run-2", |operation| {
        let run = operation.unwrap().journal().run().unwrap();
        assert_eq!((run.step, run.announced.len()), (Step::Commit, 0));
        let envelope = Envelope::parse(&run.envelope.unwrap()).unwrap();
        assert_eq!(envelope.header().backup, run.backup);
        let completion = run.completion.unwrap();
        assert_eq!(completion.replaces, Some(BackupId::new("backup-1").unwrap()));
        assert_eq!(completion.trial, Trial::Passed);
        assert_eq!(completion.halves, Curve::ALL.map(sample::half));
    });
}

#[test]
fn what_was_refused_is_refused() {
    let refused = [
        ("later-state", ErrorKind::UnknownVersion),
        ("later-journal", ErrorKind::UnknownVersion),
        ("damaged-state", ErrorKind::Damaged),
        ("damaged-journal", ErrorKind::Damaged),
        ("state-as-journal", ErrorKind::Damaged),
        ("another-commitment", ErrorKind::Unauthorized),
        ("empty-state", ErrorKind::Damaged),
    ];
    for (name, kind) in refused {
        begin(&format!("refused/{name}"), |operation| {
            assert_eq!(operation.unwrap_err().kind(), kind, "{name}");
        });
    }
}
