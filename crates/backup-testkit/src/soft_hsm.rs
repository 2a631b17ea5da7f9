//! A security module for a test: `SoftHSM`, with a token of its own.

use std::{
    env,
    ffi::OsStr,
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::{self, Command},
};

use tempfile::TempDir;

/// A folder with a token, which is a `SoftHSM` to whoever is started with its variable.
#[derive(Debug)]
pub struct SoftHsm {
    folder: TempDir,
}

impl SoftHsm {
    /// The library.
    pub const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";

    /// The label of the token.
    pub const TOKEN: &str = "custody";

    /// The PIN of its user.
    pub const PIN: &str = "fedcba98";

    /// Makes a token with AES-256 keys of these labels.
    #[must_use]
    pub fn with_keys(labels: &[&str]) -> Self {
        Self::with(labels, &[])
    }

    fn with(labels: &[&str], known: &[(&str, [u8; 32])]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the token");
        let tokens = folder.path().join("tokens");
        fs::create_dir(&tokens).expect("a folder for the token");
        let text = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
        fs::write(folder.path().join("softhsm2.conf"), text).expect("a file for SoftHSM");
        let hsm = Self { folder };
        hsm.run(&["--init-token", "--free", "--label", Self::TOKEN, "--so-pin", "01234567"]);
        let unknown = labels.iter().map(|label| (*label, random()));
        for (at, (label, key)) in unknown.chain(known.iter().copied()).enumerate() {
            hsm.import(label, &key, at);
        }
        hsm
    }

    /// Returns in a process that has such a token: a program finds it by its environment, which a
    /// test cannot change while it runs, so that its whole process is run once more.
    pub fn enter(labels: &[&str]) {
        Self::enter_with(labels, &[]);
    }

    /// The same, with keys besides that are known.
    pub fn enter_with(labels: &[&str], known: &[(&str, [u8; 32])]) {
        if env::var_os(ENTERED).is_some() {
            return;
        }
        let hsm = Self::with(labels, known);
        let program = env::current_exe().expect("a test knows its own program");
        let (name, value) = hsm.variable();
        let mut again = Command::new(program);
        again.args(env::args_os().skip(1)).env(ENTERED, "yes").env(name, value);
        let status = again.status().expect("a test can be run again");
        drop(hsm);
        process::exit(status.code().unwrap_or(1));
    }

    /// What a program finds it by.
    #[must_use]
    pub fn variable(&self) -> (&'static str, PathBuf) {
        ("SOFTHSM2_CONF", self.folder.path().join("softhsm2.conf"))
    }

    fn import(&self, label: &str, key: &[u8; 32], at: usize) {
        let path = self.folder.path().join("key");
        write(&path, key);
        let id = format!("{:02x}", at + 1);
        let path = path.to_str().expect("a folder for tests has a plain name");
        self.run(&[
            "--import",
            path,
            "--aes",
            "--token",
            Self::TOKEN,
            "--label",
            label,
            "--id",
            &id,
        ]);
    }

    fn run(&self, arguments: &[&str]) {
        let (name, value) = self.variable();
        let done = Command::new("softhsm2-util")
            .args(arguments)
            .args(["--pin", Self::PIN])
            .env(name, OsStr::new(&value))
            .output()
            .unwrap_or_else(|error| panic!("softhsm2-util: {error}; {SET_UP}"));
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

/// 32 bytes, none of which means anything to whoever reads a file as text.
fn random() -> [u8; 32] {
    let mut random = [0; 16];
    getrandom::fill(&mut random).expect("randomness");
    let text = format!("{:032x}", u128::from_ne_bytes(random));
    text.into_bytes().try_into().expect("it has 32 digits")
}

fn write(path: &Path, bytes: &[u8]) {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).open(path);
    file.and_then(|mut file| file.write_all(bytes)).expect("a file for a key");
}

const ENTERED: &str = "BACKUP_TESTKIT_SOFT_HSM";
const SET_UP: &str = "`cargo xtask setup` installs what is missing";
