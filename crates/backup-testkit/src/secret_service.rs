//! A real Secret Service for a test: gnome-keyring, on a session bus that nothing else uses.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::{Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::record::lock;

/// A session bus of D-Bus, without services until a [`Keyring`] is started on it.
///
/// A program finds its bus by its environment, which a test cannot change while it runs. So
/// [`enter`](Self::enter) runs the test's whole process once more, with the same arguments and
/// another environment, and ends the first one with the outcome of the second.
#[derive(Debug)]
pub struct SessionBus(());

/// A running gnome-keyring. It is killed when this is dropped; what it kept is in its home.
#[derive(Debug)]
pub struct Keyring {
    daemon: Child,
    /// What finds its bus, if that is not the one of this process.
    session: Vec<(&'static str, OsString)>,
}

impl SessionBus {
    /// Returns in a process that has such a bus, one test at a time.
    #[must_use]
    pub fn enter() -> Self {
        Self::enter_with(ALLOW_ALL)
    }

    /// The same, on a bus whose policy lets nobody call a Secret Service.
    #[must_use]
    pub fn enter_denying() -> Self {
        let deny = r#"<deny send_destination="org.freedesktop.secrets"/>"#;
        Self::enter_with(&format!("{ALLOW_ALL}{deny}"))
    }

    fn enter_with(policy: &str) -> Self {
        let mut taken = lock(&TAKEN);
        while *taken {
            taken = LEFT.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken = true;
        drop(taken);
        if env::var_os(ENTERED).is_none() {
            process::exit(run_again(policy));
        }
        Self(())
    }

    /// Starts a gnome-keyring whose keyring is unlocked, or made, by `password`.
    ///
    /// With another password than the one it was made with, the keyring stays locked. `home` is
    /// where it is kept.
    #[must_use]
    pub fn keyring(&self, home: &Path, password: &str) -> Keyring {
        Keyring::start(Vec::new(), home, password)
    }
}

/// A gnome-keyring on a session bus of its own, for programs that are started with its address.
/// Both are killed when this is dropped.
#[derive(Debug)]
pub struct KeyringHost {
    _keyring: Keyring,
    bus: Bus,
    _folder: TempDir,
}

impl KeyringHost {
    /// Starts both. The keyring is unlocked, or made, by `password`; `home` is where it is kept.
    #[must_use]
    pub fn start(home: &Path, password: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the bus");
        let bus = Bus::start(&folder, ALLOW_ALL);
        let keyring = Keyring::start(bus.session(&folder).into(), home, password);
        Self { _keyring: keyring, bus, _folder: folder }
    }

    /// The bus, for the variable `DBUS_SESSION_BUS_ADDRESS` of a program.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.bus.address
    }
}

impl Keyring {
    fn start(session: Vec<(&'static str, OsString)>, home: &Path, password: &str) -> Self {
        let control = tempfile::tempdir().expect("a folder for the keyring's socket");
        let mut daemon = Command::new("gnome-keyring-daemon")
            .args(["--unlock", "--foreground", "--components=secrets", "--control-directory"])
            .arg(control.path())
            .env("HOME", home)
            .env("XDG_DATA_HOME", home.join("data"))
            .envs(session.clone())
            .env_remove("DISPLAY")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("gnome-keyring-daemon: {error}; {SET_UP}"));
        let mut stdin = daemon.stdin.take().expect("its input is a pipe");
        stdin.write_all(password.as_bytes()).expect("the keyring reads its password");
        drop(stdin);
        let keyring = Self { daemon, session };
        until(|| keyring.is_on_bus(), "the keyring does not start");
        keyring
    }

    fn is_on_bus(&self) -> bool {
        let answer = Command::new("dbus-send")
            .args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"])
            .args(["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"])
            .envs(self.session.clone())
            .output()
            .unwrap_or_else(|error| panic!("dbus-send: {error}; {SET_UP}"));
        String::from_utf8_lossy(&answer.stdout).contains("boolean true")
    }
}

static TAKEN: Mutex<bool> = Mutex::new(false);
static LEFT: Condvar = Condvar::new();

impl Drop for SessionBus {
    fn drop(&mut self) {
        *lock(&TAKEN) = false;
        LEFT.notify_one();
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        until(|| !self.is_on_bus(), "the keyring does not end");
    }
}

/// Runs this process again on a new bus, and returns its exit code.
fn run_again(policy: &str) -> i32 {
    let folder = tempfile::tempdir().expect("a folder for the bus");
    let bus = Bus::start(&folder, policy);
    let program = env::current_exe().expect("a test knows its own program");
    let status = Command::new(program)
        .args(env::args_os().skip(1))
        .env(ENTERED, "yes")
        .envs(bus.session(&folder))
        .status()
        .expect("a test can be run again");
    status.code().unwrap_or(1)
}

#[derive(Debug)]
struct Bus {
    daemon: Child,
    address: String,
}

impl Bus {
    fn start(folder: &TempDir, policy: &str) -> Self {
        let (config, socket): (PathBuf, PathBuf) =
            (folder.path().join("bus.conf"), folder.path().join("bus"));
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen>\
             <policy context=\"default\">{policy}</policy></busconfig>",
            socket.display()
        );
        fs::write(&config, text).expect("a file for the bus");
        let mut daemon = Command::new("dbus-daemon")
            .arg("--config-file")
            .arg(config)
            .args(["--nofork", "--nopidfile", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("dbus-daemon: {error}; {SET_UP}"));
        let mut address = String::new();
        let stdout = daemon.stdout.take().expect("its output is a pipe");
        BufReader::new(stdout).read_line(&mut address).expect("the bus says where it is");
        assert!(!address.is_empty(), "the bus does not start");
        Self { daemon, address: address.trim().to_owned() }
    }
}

impl Bus {
    /// What a program finds it by.
    fn session(&self, folder: &TempDir) -> [(&'static str, OsString); 2] {
        let address = ("DBUS_SESSION_BUS_ADDRESS", OsString::from(&self.address));
        [address, ("XDG_RUNTIME_DIR", folder.path().into())]
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn until(holds: impl Fn() -> bool, otherwise: &str) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "{otherwise}");
        thread::sleep(Duration::from_millis(5));
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
const ENTERED: &str = "BACKUP_TESTKIT_SESSION_BUS";
const ALLOW_ALL: &str = r#"<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
    <allow own="*"/>"#;
const SET_UP: &str = "`cargo xtask setup` installs what is missing";
