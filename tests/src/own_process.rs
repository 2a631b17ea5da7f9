//! The service in a process of its own, whose memory can be measured.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use portal_server::{Options, Server};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::wallets::Custodian;

/// By this, with a folder, a program is asked to be the service.
const FOLDER: &str = "PORTAL_TESTS_SERVE";

/// A service that runs until this is dropped.
#[derive(Debug)]
pub struct OwnProcess {
    process: Child,
    folder: TempDir,
    url: String,
}

/// Is the service, if this process was started to be it. Every program that starts an
/// [`OwnProcess`] calls this first, and ends if it was.
#[must_use]
pub fn has_served() -> bool {
    let Some(folder) = env::var_os(FOLDER) else { return false };
    // For as long as it is asked: `on_runtime` has an end.
    let runtime = Runtime::new().expect("there is a runtime");
    runtime.block_on(serve(PathBuf::from(folder)));
    true
}

async fn serve(folder: PathBuf) {
    let running = Server::start(Options::new(folder)).await.expect("the service starts");
    println!("http://{}", running.address());
    io::stdout().flush().expect("somebody reads it");
    let until_closed = || io::stdin().read_line(&mut String::new()).is_ok();
    tokio::task::spawn_blocking(until_closed).await.expect("reading does not panic");
    running.shutdown().await;
}

impl OwnProcess {
    /// Starts this program once more, to be the service, in a new folder.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the service");
        let mut process = Command::new(env::current_exe().expect("this program has a path"))
            .env(FOLDER, folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let mut url = String::new();
        let output = process.stdout.take().expect("it was asked for");
        BufReader::new(output).read_line(&mut url).expect("it says where it listens");
        Self { process, folder, url: url.trim().to_owned() }
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it keeps its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The custodian whom its first start has made.
    #[must_use]
    pub fn custodian(&self) -> Custodian {
        Custodian::of(&self.url, self.folder())
    }

    /// What it holds of memory, in MB.
    #[must_use]
    pub fn resident_mb(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("the system says what a process holds");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.expect("a number of kilobytes") / 1024.0
    }
}

impl Drop for OwnProcess {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
