//! A PostgreSQL, for a test, on this machine.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// A running PostgreSQL with a cluster of its own, which writes to the disk as in production.
/// It ends when this is dropped, or its process ends in whatever way, and what it kept is gone.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    /// Stops it at the end of a pipe, of which this process has the other end.
    guard: Child,
}

impl Postgres {
    /// Makes a cluster, and starts it. It listens on a socket in its folder, and on no port.
    ///
    /// # Panics
    ///
    /// If there is no PostgreSQL: `cargo xtask setup` installs it.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a cluster");
        if is_root() {
            // PostgreSQL refuses to run as root: its cluster is that of its own user.
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let arguments = ["-A", "trust", "-U", "test", "-E", "UTF8", "--locale=C.UTF-8"];
        run(program("initdb", folder.path()).args(arguments));
        let postgres = Self { guard: guard(folder.path()), folder };
        postgres.restart();
        postgres
    }

    /// Where its database is, for the user that may do anything.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://test@localhost/postgres?host={}", self.folder.path().display())
    }

    /// Ends it as a crash does: nothing is finished, and the log is replayed at the next start.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn crash(&self) {
        run(program("pg_ctl", self.folder.path()).args(AT_ONCE));
    }

    /// Starts it again, with what it has on the disk.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&self) {
        let folder = self.folder.path();
        let options = format!("-c listen_addresses='' -c fsync=on -k {}", folder.display());
        let mut start = program("pg_ctl", folder);
        run(start.arg("-l").arg(folder.join("log")).args(["-w", "-o", &options, "start"]));
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// What `pg_ctl` is told to end a server as a crash does.
const AT_ONCE: [&str; 4] = ["-m", "immediate", "-w", "stop"];

/// A process that waits for the end of this one, and then stops the server.
fn guard(folder: &Path) -> Child {
    let stop = program("pg_ctl", folder);
    let mut guard = Command::new("sh");
    guard.args(["-c", "read -r _; exec \"$@\"", "sh"]).arg(stop.get_program());
    guard.args(stop.get_args()).args(AT_ONCE).current_dir(folder);
    let guard = guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    guard.spawn().expect("there is a shell")
}

fn program(name: &str, folder: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", &found(name)]);
        command
    } else {
        Command::new(found(name))
    };
    command.arg("-D").arg(folder.join("data")).current_dir(folder);
    command
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n")
}

/// Debian keeps these programs off the `PATH`, in a folder for each version.
fn found(name: &str) -> String {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |version: fs::DirEntry| version.file_name().to_str()?.parse::<u32>().ok();
    let newest = versions.filter_map(number).max();
    newest.map_or_else(
        || name.to_owned(),
        |newest| format!("/usr/lib/postgresql/{newest}/bin/{name}"),
    )
}

/// Runs a program to its end. What it starts must not hold a pipe of ours, on whose end we would
/// wait: what is said goes to a file.
fn run(command: &mut Command) {
    let said = tempfile::NamedTempFile::new().expect("there is room for what is said");
    let out = || File::create(said.path()).map(Stdio::from).expect("it is written to");
    let status = command.stdin(Stdio::null()).stdout(out()).stderr(out()).status();
    let done = status.as_ref().is_ok_and(std::process::ExitStatus::success);
    let said = fs::read_to_string(said.path()).unwrap_or_default();
    assert!(done, "{command:?}: {status:?}: {said}`cargo xtask setup` installs what is missing");
}
