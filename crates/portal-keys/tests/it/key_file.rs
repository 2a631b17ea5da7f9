//! The key file as an operator meets it, and as a provider.

use std::{fs, path::PathBuf, sync::Arc};

use backup_core::{ErrorKind, KeyEncryption};
use backup_testkit::KeyEncryptionFixture;
use futures_executor::block_on;
use portal_keys::{KeyCheck, KeyFile, KeyFileError, KeyRing};
use tempfile::TempDir;

struct Files(TempDir);

impl Files {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl KeyEncryptionFixture for Files {
    type Provider = KeyFile;

    fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        KeyFile::create(files.path("a.key")).unwrap();
        KeyFile::create(files.path("b.key")).unwrap();
        files
    }

    fn provider(&self) -> KeyFile {
        KeyFile::open(self.path("a.key")).unwrap()
    }

    fn with_another_key(&self) -> KeyFile {
        KeyFile::open(self.path("b.key")).unwrap()
    }
}

mod conformance {
    backup_testkit::key_encryption_conformance!(super::Files);
}

fn empty() -> Files {
    Files(tempfile::tempdir().unwrap())
}

#[test]
fn a_missing_file_is_not_made_by_opening_it() {
    let files = empty();
    let error = KeyFile::open(files.path("key")).unwrap_err();
    assert!(matches!(error, KeyFileError::Missing { .. }), "{error:?}");
    assert!(error.to_string().contains("restore it from its copy"), "{error}");
    assert!(files.names().is_empty());
}

#[test]
fn creating_never_overwrites() {
    let files = empty();
    for there in ["a key", ""] {
        fs::write(files.path("key"), there).unwrap();
        let error = KeyFile::create(files.path("key")).unwrap_err();
        assert!(matches!(error, KeyFileError::Exists { .. }), "{error:?}");
        assert_eq!(fs::read_to_string(files.path("key")).unwrap(), there);
    }
    assert_eq!(files.names(), ["key"]);
}

#[test]
fn a_file_that_was_created_is_all_that_is_left_and_opens() {
    let files = empty();
    let made = KeyFile::create(files.path("key")).unwrap();
    assert_eq!(files.names(), ["key"]);
    let opened = KeyFile::open_expecting(files.path("key"), made.key_id()).unwrap();
    assert_eq!(opened.key_id(), made.key_id());
}

#[test]
fn of_many_that_create_at_once_one_succeeds_and_its_key_stays() {
    let files = empty();
    let create = || KeyFile::create(files.path("key"));
    let made: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let [winner] = &made.into_iter().filter_map(Result::ok).collect::<Vec<_>>()[..] else {
        panic!("not exactly one made the key");
    };
    assert_eq!(KeyFile::open(files.path("key")).unwrap().key_id(), winner.key_id());
    assert_eq!(files.names(), ["key"]);
}

#[test]
fn creating_in_a_folder_that_is_not_there_says_so() {
    let error = KeyFile::create(empty().path("nowhere/key")).unwrap_err();
    assert!(matches!(error, KeyFileError::Io { .. }), "{error:?}");
    assert!(error.to_string().contains("check its folder"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_use_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let files = Files::new();
    let path = files.path("a.key");
    let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    for mode in [0o640, 0o620, 0o610, 0o604, 0o602, 0o601] {
        set(mode);
        let error = KeyFile::open(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::TooOpen { .. }), "{mode:o}: {error:?}");
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    set(0o400);
    KeyFile::open(&path).unwrap();
}

#[test]
fn a_folder_in_its_place_is_refused() {
    let files = empty();
    fs::create_dir(files.path("key")).unwrap();
    assert!(KeyFile::open(files.path("key")).is_err());
    let error = KeyFile::create(files.path("key")).unwrap_err();
    assert!(matches!(error, KeyFileError::Exists { .. }), "{error:?}");
}

#[test]
fn the_file_of_another_key_is_told_by_its_id() {
    let files = Files::new();
    let (a, b) = (files.provider(), files.with_another_key());
    let error = KeyFile::open_expecting(files.path("b.key"), a.key_id()).unwrap_err();
    assert!(matches!(error, KeyFileError::WrongKey { .. }), "{error:?}");
    assert!(error.to_string().contains(b.key_id()), "{error}");
}

#[test]
fn no_error_and_no_debug_output_shows_the_key() {
    let files = Files::new();
    let text = fs::read_to_string(files.path("a.key")).unwrap();
    let key = text.lines().last().unwrap().strip_prefix("key: ").unwrap();
    fs::write(files.path("a.key"), format!("{text} ")).unwrap();
    let error = KeyFile::open(files.path("a.key")).unwrap_err();
    let shown = format!("{error} {error:?} {:?}", files.with_another_key());
    assert!(!shown.contains(key));
}

#[test]
fn a_check_value_knows_its_key_again_and_no_other() {
    let files = Files::new();
    let (a, b) = (Arc::new(files.provider()), Arc::new(files.with_another_key()));
    let check = block_on(KeyCheck::make(&*a)).unwrap();
    let check = KeyCheck::decode(&check.encode()).unwrap();
    assert_eq!(check.key_id(), a.key_id());
    block_on(check.verify(&*a)).unwrap();
    let error = block_on(check.verify(&*b)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);

    let ring = KeyRing::new([b as Arc<dyn KeyEncryption>]).unwrap();
    let error = block_on(ring.verify(std::slice::from_ref(&check))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains(a.key_id()), "{error}");
    let ring = ring.with_retired([a as Arc<dyn KeyEncryption>]).unwrap();
    block_on(ring.verify(&[check])).unwrap();
}
