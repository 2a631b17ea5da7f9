//! Starts the programs, and sees how they end.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use backup_testkit::KeyringHost;

use super::{recorder::Death, strace, told::Told};

/// How a service, or a custodian, is started.
#[derive(Clone, Debug)]
pub struct ServiceOptions {
    /// The program that has all sides in it.
    pub program: PathBuf,
    /// Which of them it is to be.
    pub role: &'static str,
    /// The data folder.
    pub folder: PathBuf,
    /// Where effects, system calls and errors are written.
    pub logs: PathBuf,
    /// The effect before which it dies.
    pub die_at: Option<usize>,
    /// Whether `strace` writes down what it does.
    pub traced: bool,
    /// What else it is told.
    pub arguments: Vec<OsString>,
    /// What it finds in its environment.
    pub environment: Vec<(&'static str, OsString)>,
}

/// A service that was started, or a custodian. Dropped, it is killed.
#[derive(Debug)]
pub struct ServiceProcess {
    child: Child,
    /// The custodian that it was started with, and ends with.
    pub custodian: Option<Box<Self>>,
    input: Option<ChildStdin>,
    address: Option<SocketAddr>,
}

impl ServiceProcess {
    /// Starts it, and waits until it listens or has died.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or ends by itself.
    pub fn start(options: &ServiceOptions, listen: SocketAddr) -> Result<Self> {
        let began = Instant::now();
        loop {
            let service = Self::start_once(options, listen)?;
            let is_taken = service.address.is_none()
                && fs::read_to_string(options.errors())?.contains("cannot listen");
            // The port of a service that was killed may be another connection's for a moment.
            if !is_taken || began.elapsed() > PATIENCE {
                return Ok(service);
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn start_once(options: &ServiceOptions, listen: SocketAddr) -> Result<Self> {
        let mut command = if options.traced {
            strace::command(&options.program, &options.calls())
        } else {
            Command::new(&options.program)
        };
        let errors = File::create(options.errors())?;
        command
            .args([options.role, "--folder"])
            .arg(&options.folder)
            .args(["--listen", &listen.to_string()])
            .args(&options.arguments)
            .envs(options.environment.iter().map(|(name, value)| (name, value)))
            .arg("--log")
            .arg(options.effects())
            .args(options.die_at.iter().flat_map(|at| ["--die-at".to_owned(), at.to_string()]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors);
        let mut child = command.spawn().context("cannot start the service")?;
        let input = child.stdin.take();
        let mut line = String::new();
        let output = child.stdout.take().context("the service has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let mut service = Self { child, custodian: None, input, address: line.trim().parse().ok() };
        if service.address.is_none() {
            service.child.wait()?;
        }
        Ok(service)
    }

    /// Where it listens, if it came so far.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Whether it has died.
    ///
    /// # Errors
    ///
    /// If that cannot be found out.
    pub fn is_dead(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Kills it, and returns when it is gone.
    ///
    /// # Errors
    ///
    /// If that cannot be found out.
    pub fn kill(mut self) -> Result<()> {
        self.input = None;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        self.input = None;
        // It dies when its input is closed, and cannot be waited for twice.
        let _ = self.child.wait();
    }
}

impl ServiceOptions {
    /// Where effects are written.
    #[must_use]
    pub fn effects(&self) -> PathBuf {
        self.logs.join(format!("{}.effects", self.role))
    }

    /// Where system calls are written.
    #[must_use]
    pub fn calls(&self) -> PathBuf {
        self.logs.join(format!("{}.calls", self.role))
    }

    /// Where errors are written.
    #[must_use]
    pub fn errors(&self) -> PathBuf {
        self.logs.join(format!("{}.errors", self.role))
    }
}

/// Any port that is free.
#[must_use]
pub fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// A device's process.
#[derive(Debug)]
pub struct DeviceProcess {
    child: Child,
    output: PathBuf,
    errors: PathBuf,
    began: Instant,
    /// Outlives the process, and ends when this is dropped.
    _keychain: Option<KeyringHost>,
}

/// How a device's process ended.
#[derive(Debug)]
pub struct DeviceEnd {
    /// What it told the user.
    pub told: Vec<Told>,
    /// Whether it was killed.
    pub killed: bool,
}

impl DeviceProcess {
    /// Starts it, in the session of `keychain` if there is one.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start<I: AsRef<OsStr>>(
        mut command: Command,
        logs: &Path,
        effects: &Path,
        death: Option<Death>,
        arguments: impl IntoIterator<Item = I>,
        keychain: Option<KeyringHost>,
    ) -> Result<Self> {
        let (output, errors) = (logs.join("device.output"), logs.join("device.errors"));
        command.arg("device").arg("--log").arg(effects);
        if let Some(death) = death {
            command.args(["--die-at", &death.at.to_string()]);
            command.args(death.torn.then_some("--torn"));
        }
        let session = keychain.iter().map(|host| ("DBUS_SESSION_BUS_ADDRESS", host.address()));
        let child = command
            .args(arguments)
            .envs(session)
            .stdin(Stdio::null())
            .stdout(File::create(&output)?)
            .stderr(File::create(&errors)?)
            .spawn()
            .context("cannot start the device")?;
        Ok(Self { child, output, errors, began: Instant::now(), _keychain: keychain })
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    ///
    /// If it failed otherwise than by being killed, or takes too long.
    pub fn ended(&mut self) -> Result<Option<DeviceEnd>> {
        match self.child.try_wait()? {
            Some(status) => self.end(status).map(Some),
            None if self.began.elapsed() < PATIENCE => Ok(None),
            None => {
                self.child.kill()?;
                self.child.wait()?;
                bail!("the device hangs")
            }
        }
    }

    fn end(&self, status: ExitStatus) -> Result<DeviceEnd> {
        let told = Told::heard(&fs::read_to_string(&self.output)?)?;
        let killed = status.signal().is_some();
        if !status.success() && (!killed || !self.died_silently()?) {
            bail!("the device failed: {}", fs::read_to_string(&self.errors)?.trim());
        }
        Ok(DeviceEnd { told, killed })
    }

    /// A panic that aborts is no death that was asked for.
    fn died_silently(&self) -> Result<bool> {
        Ok(!fs::read_to_string(&self.errors)?.contains("panicked"))
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
