//! The service in a process of its own, whose memory can be measured.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use portal_server::{Options, Server};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::wallets::Custodian;

/// By this, with a folder, a program is asked to be the service.
const FOLDER: &str = "PORTAL_TESTS_SERVE";

/// The metric that counts answers.
const ANSWERED: &str = "portal_request_seconds_count{";

/// A service that runs until this is dropped.
#[derive(Debug)]
pub struct OwnProcess {
    process: Child,
    folder: TempDir,
    url: String,
    metrics: String,
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
    let mut options = Options::new(folder);
    options.metrics = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let running = Server::start(options).await.expect("the service starts");
    println!("http://{}", running.address());
    println!("http://{}/metrics", running.metrics_address().expect("it was asked for"));
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
        let mut lines = BufReader::new(process.stdout.take().expect("it was asked for")).lines();
        let mut line = || lines.next().expect("it says where it listens").expect("it is text");
        let (url, metrics) = (line(), line());
        Self { process, folder, url, metrics }
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

    /// How many answers it has given that blame itself, by their status. That it had too much to
    /// do (503) is no such.
    ///
    /// # Panics
    ///
    /// If it does not tell its metrics.
    pub async fn own_failures(&self) -> BTreeMap<String, u64> {
        let answer = reqwest::get(&self.metrics).await.expect("it tells its metrics");
        let text = answer.text().await.expect("metrics are text");
        let mut failures = BTreeMap::new();
        for line in text.lines().filter(|line| line.starts_with(ANSWERED)) {
            let (labels, count) = line.rsplit_once(' ').expect("a number follows the labels");
            let status = labels.split("status=\"").nth(1).and_then(|rest| rest.get(..3));
            let status = status.expect("answers are counted by their status");
            if status.starts_with('5') && status != "503" {
                let count: u64 = count.parse().expect("a number");
                *failures.entry(status.to_owned()).or_default() += count;
            }
        }
        failures
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
