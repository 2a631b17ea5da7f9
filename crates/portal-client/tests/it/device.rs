//! The device's store as the facade uses it.

use std::{fs, path::Path, sync::Arc};

use backup_core::{
    BackupId, ClientBackupShare, Curve, DataKey, EncryptionKey, Envelope, ErrorKind, Journal as _,
    MethodId, MethodParams, Point, Sealer, SharePairId, secrecy::SecretSlice,
};
use portal_client::{
    Effect,
    device::{DeviceStore, SigningSet, Step, Trial},
};
use tempfile::tempdir;

use crate::sample;

#[test]
fn what_was_kept_is_there_when_the_app_starts_again() {
    let folder = tempdir().unwrap();
    sample::fill(&mut sample::store(folder.path()).begin().unwrap());
    let store = sample::store(folder.path());
    let operation = store.begin().unwrap();
    sample::assert_filled(operation.state());
    assert_eq!(operation.state().generation(), 1);
    let run = operation.journal().run().unwrap();
    assert_eq!((run.step, run.announced.len()), (Step::Prepare, 1));
}

#[test]
fn another_key_and_another_client_see_nothing() {
    let folder = tempdir().unwrap();
    sample::fill(&mut sample::store(folder.path()).begin().unwrap());
    let other = DataKey::copied_from(&[0x12; 32]);
    let error = DeviceStore::new(folder.path(), sample::context(), other).begin().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    let mut context = sample::context();
    context.client = backup_core::ClientId::new("bob").unwrap();
    let store = DeviceStore::new(folder.path(), context, DataKey::copied_from(&[0x11; 32]));
    assert_eq!(store.begin().unwrap().state().generation(), 0);
}

#[test]
fn one_operation_is_going_on_at_a_time() {
    let folder = tempdir().unwrap();
    let (one, other) = (sample::store(folder.path()), sample::store(folder.path()));
    let operation = one.begin().unwrap();
    for store in [&one, &other] {
        assert_eq!(store.try_begin().unwrap_err().kind(), ErrorKind::Unavailable);
    }
    drop(operation);
    other.try_begin().unwrap();
}

/// The other process is `flock` of the system's base packages: it knows the lock by its file alone.
#[cfg(target_os = "linux")]
#[test]
fn one_operation_is_going_on_at_a_time_between_processes_too() {
    use std::{
        io::Read,
        process::{Command, Stdio},
    };

    let folder = tempdir().unwrap();
    let store = sample::store(folder.path());
    let operation = store.begin().unwrap();
    let lock = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let lock = lock.into_iter().find(|path| path.extension().is_some_and(|end| end == "lock"));
    let lock = lock.unwrap();
    let flock = |arguments: &[&str]| {
        let mut command = Command::new("flock");
        command.arg("--nonblock").arg(&lock).args(arguments);
        command
    };
    let status = flock(&["true"]).status().expect("`flock` is missing: apt-get install util-linux");
    assert_eq!(status.code(), Some(1), "another process has its turn beside this one");
    drop(operation);
    let mut other = flock(&["sh", "-c", "echo held; read end || true"]);
    let mut other = other.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    other.stdout.as_mut().unwrap().read_exact(&mut [0; 5]).unwrap();
    assert_eq!(store.try_begin().unwrap_err().kind(), ErrorKind::Unavailable);
    drop(other.stdin.take());
    assert!(other.wait().unwrap().success());
    store.try_begin().unwrap();
}

/// A disk that returns other bytes than it was given, for one file.
#[test]
fn what_is_read_back_otherwise_than_it_was_written_replaces_nothing() {
    for kind in ["state", "journal"] {
        let folder = tempdir().unwrap();
        sample::fill(&mut sample::store(folder.path()).begin().unwrap());
        let files = || {
            let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
            let mut files: Vec<_> = files.filter(|path| !is_successor(path)).collect();
            files.sort();
            files.into_iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>()
        };
        let before = files();
        let spoil = move |effect: Effect<'_>| {
            if let Effect::Sync(path) = effect
                && path.to_string_lossy().ends_with(&format!("{kind}.new"))
            {
                let mut bytes = fs::read(path).unwrap();
                *bytes.last_mut().unwrap() ^= 1;
                fs::write(path, bytes).unwrap();
            }
            Ok(())
        };
        let store = sample::store(folder.path()).observed_by(Arc::new(spoil));
        let mut operation = store.begin().unwrap();
        let error = match kind {
            "state" => operation.update(|state| {
                state.set_head(MethodId::CUSTOM, [9; 32]);
                Ok(())
            }),
            _ => operation.journal().clear(),
        };
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Damaged, "{kind}");
        drop(operation);
        assert_eq!(files(), before, "{kind}");
        let store = sample::store(folder.path());
        let operation = store.begin().unwrap();
        sample::assert_filled(operation.state());
        assert!(operation.journal().run().is_some(), "{kind}");
    }
}

fn is_successor(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "new")
}

#[test]
fn operations_that_wait_all_have_their_turn() {
    let folder = tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let store = sample::store(folder.path());
                for _ in 0..5 {
                    store.begin().unwrap().update(|_| Ok(())).unwrap();
                }
            });
        }
    });
    assert_eq!(sample::store(folder.path()).begin().unwrap().state().generation(), 40);
}

#[test]
fn a_change_that_is_refused_changes_nothing() {
    let folder = tempdir().unwrap();
    let store = sample::store(folder.path());
    let mut operation = store.begin().unwrap();
    sample::fill(&mut operation);
    let refused = operation.update(|state| {
        state.drop_pending();
        state.keep_pending(sample::signing_set(3))?;
        state.keep_pending(sample::signing_set(4))
    });
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
    sample::assert_filled(operation.state());
    drop(operation);
    sample::assert_filled(store.begin().unwrap().state());
}

#[test]
fn the_earlier_signing_set_stays_until_the_new_one_is_confirmed() {
    let folder = tempdir().unwrap();
    let store = sample::store(folder.path());
    let pair = |set: Option<&SigningSet>| set.unwrap().pairs()[0].pair.clone();
    sample::fill(&mut store.begin().unwrap());
    let (earlier, newer) = {
        let operation = store.begin().unwrap();
        (pair(operation.state().live()), pair(operation.state().pending()))
    };
    assert_ne!(earlier, newer);
    let mut operation = store.begin().unwrap();
    operation.update(portal_client::device::DeviceState::confirm_pending).unwrap();
    assert_eq!(pair(operation.state().live()), newer);
    assert!(operation.state().pending().is_none());
    assert!(operation.update(portal_client::device::DeviceState::confirm_pending).is_err());
}

#[test]
fn an_older_copy_is_refused_as_far_as_it_can_be_told() {
    let folder = tempdir().unwrap();
    let store = sample::store(folder.path());
    store.begin().unwrap().update(|_| Ok(())).unwrap();
    let path = state_file(folder.path());
    let old = fs::read(&path).unwrap();
    store.begin().unwrap().update(|_| Ok(())).unwrap();
    fs::write(&path, &old).unwrap();
    assert_eq!(store.begin().unwrap_err().kind(), ErrorKind::Damaged);
    let restarted = sample::store(folder.path()).expecting_generation(2);
    assert_eq!(restarted.begin().unwrap_err().kind(), ErrorKind::Damaged);
    fs::remove_file(&path).unwrap();
    assert_eq!(store.begin().unwrap_err().kind(), ErrorKind::Damaged);
    sample::store(folder.path()).begin().unwrap();
}

#[test]
fn erasing_leaves_no_secret_and_no_journal() {
    let folder = tempdir().unwrap();
    let store = sample::store(folder.path());
    let mut operation = store.begin().unwrap();
    sample::fill(&mut operation);
    operation.erase().unwrap();
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(left.iter().all(|entry| entry.metadata().unwrap().len() == 0), "{left:?}");
    let operation = store.begin().unwrap();
    assert!(operation.state().live().is_none() && operation.journal().run().is_none());
}

#[test]
fn files_and_debug_output_show_neither_share_nor_client() {
    let folder = tempdir().unwrap();
    let store = sample::store(folder.path());
    let mut operation = store.begin().unwrap();
    sample::fill(&mut operation);
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let shows = |secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!shows(&[1; 8]) && !shows(&[2; 8]) && !shows(b"alice"), "{path:?}");
        assert!(!path.to_str().unwrap().contains("alice"));
    }
    let shown = format!("{operation:?} {store:?}");
    assert!(!shown.contains("1, 1, 1") && !shown.contains("17, 17"), "{shown}");
}

#[cfg(unix)]
#[test]
fn files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempdir().unwrap();
    sample::fill(&mut sample::store(folder.path()).begin().unwrap());
    for entry in fs::read_dir(folder.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_journal_follows_a_backup_from_step_to_step() {
    let folder = tempdir().unwrap();
    let store = sample::store(folder.path());
    let operation = store.begin().unwrap();
    let journal = operation.journal();
    let (backup, params) = (BackupId::new("b1").unwrap(), MethodParams::from_bytes([1]).unwrap());
    assert!(journal.will_leave(&MethodId::CUSTOM, &params).is_err(), "nothing is under way");
    let start = || journal.start(MethodId::CUSTOM, backup.clone(), None, Trial::Awaited);
    start().unwrap();
    assert!(start().is_err(), "one is under way");
    assert!(journal.advance(Step::Commit).is_err(), "it is not sealed");
    let halves = || vec![sample::half(Curve::Ed25519), sample::half(Curve::Secp256k1)];
    assert!(journal.sealed(&envelope("b2"), halves()).is_err(), "it is of another backup");
    journal.sealed(&envelope("b1"), halves()).unwrap();
    assert!(journal.passed_trial().is_err(), "it is not stored");
    assert!(journal.will_leave(&MethodId::CUSTOM, &params).is_err(), "it is too late");
    for step in [Step::Store, Step::Verify, Step::Commit, Step::Done] {
        journal.advance(step).unwrap();
        assert!(journal.advance(Step::Seal).is_err(), "it goes forward only");
        assert_eq!(journal.passed_trial().is_ok(), step == Step::Verify);
    }
    drop(operation);
    let operation = store.begin().unwrap();
    let run = operation.journal().run().unwrap();
    assert_eq!(run.step, Step::Done);
    let completion = run.completion.unwrap();
    assert_eq!(completion.trial, Trial::Passed);
    let curves: Vec<_> = completion.halves.iter().map(|half| half.curve).collect();
    assert_eq!(curves, Curve::ALL);
    assert_eq!(Envelope::parse(&run.envelope.unwrap()).unwrap().header().backup, backup);
    operation.journal().clear().unwrap();
    drop(operation);
    assert_eq!(store.begin().unwrap().journal().run(), None);
}

fn envelope(backup: &str) -> Envelope {
    let (sealer, key) = Sealer::without_slot(&sample::context()).unwrap();
    drop(EncryptionKey::from(key));
    let point = Point::new(Curve::Ed25519, &[7; 32]).unwrap();
    let (pair, secret) = (SharePairId::new("pair").unwrap(), SecretSlice::from(vec![9; 32]));
    let share = ClientBackupShare::new(pair, point, point, point, secret).unwrap();
    sealer.seal(&BackupId::new(backup).unwrap(), &[share]).unwrap()
}

fn state_file(folder: &Path) -> std::path::PathBuf {
    let mut entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.extension().is_some_and(|ending| ending == "state")).unwrap()
}
