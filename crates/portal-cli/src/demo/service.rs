//! The service, as a process of its own: this executable's `portal serve`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::{failure::Failure, settings::Setting};

/// A service that ends with this process, however this process ends: it watches its standard
/// input, and is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Service {
    child: Child,
    log: PathBuf,
    pub(super) url: String,
    pub(super) custodian_key_file: PathBuf,
}

impl Service {
    /// Starts a service on a new folder in `folder` and a free port, and waits until it is ready.
    pub(super) async fn start(folder: &Path) -> Result<Self, Failure> {
        let log = folder.join("service.log");
        let mut child = spawn(folder, &log).map_err(|error| {
            Failure::failed(format!("cannot start this program a second time: {error}"))
        })?;
        let ready = match child.stdout.take() {
            Some(stdout) => timeout(READY_WITHIN, ready_line(stdout)).await.ok().flatten(),
            None => None,
        };
        let ready = ready.ok_or_else(|| did_not_start(&log))?;
        let text = |name: &str| ready[name].as_str().unwrap_or_default().to_owned();
        let (url, key_file) = (text("url"), text("custodianKeyFile"));
        Ok(Self { child, log, url, custodian_key_file: key_file.into() })
    }

    /// Ends the service as its operator would, and sees that it ends well.
    pub(super) async fn stop(mut self) -> Result<(), Failure> {
        drop(self.child.stdin.take());
        match timeout(ENDS_WITHIN, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(self.ended_badly(&format!("with {status}"))),
            Ok(Err(error)) => Err(self.ended_badly(&format!("unseen: {error}"))),
            Err(_) => {
                // Waited for, so that nobody writes into the folder when it is removed.
                let _ = self.child.kill().await;
                Err(self.ended_badly("only when it was killed"))
            }
        }
    }

    fn ended_badly(&self, how: &str) -> Failure {
        Failure::failed(format!("the service ended {how}; it said:\n{}", tail_of(&self.log)))
    }
}

const READY_WITHIN: Duration = Duration::from_secs(60);
const ENDS_WITHIN: Duration = Duration::from_secs(20);

fn spawn(folder: &Path, log: &Path) -> std::io::Result<Child> {
    let mut command = Command::new(env::current_exe()?);
    command
        .args(["serve", "--json", "--until-stdin-closes", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.join("service"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(log)?)
        .kill_on_drop(true);
    // Settings of whoever runs this are for services of theirs.
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with(Setting::PREFIX) {
            command.env_remove(name);
        }
    }
    // Of another group, so that Ctrl-C ends the story first and then the service.
    #[cfg(unix)]
    command.process_group(0);
    command.spawn()
}

/// The line that a service prints when it is ready; the rest of its output has nobody to read it.
async fn ready_line(stdout: ChildStdout) -> Option<Value> {
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).await.ok()?;
    serde_json::from_str(&line).ok()
}

fn did_not_start(log: &Path) -> Failure {
    Failure::failed(format!("the service did not start; it said:\n{}", tail_of(log)))
}

/// The last lines of a log.
fn tail_of(log: &Path) -> String {
    const LINES: usize = 20;
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
