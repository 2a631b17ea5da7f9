//! One world with its programs, and how they are run there.

use std::{
    ffi::OsString,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};
use backup_testkit::KeyringHost;
use clap::ValueEnum;

use super::{
    custodian::Way,
    process::{DeviceEnd, DeviceProcess, ServiceOptions, ServiceProcess, any_port},
    provider::Provider,
    recorder::Death,
    scenario::{GRACE_SECONDS, Scenario, Step},
    strace,
    world::World,
};

/// The programs, and how they are run.
#[derive(Clone, Debug)]
pub struct Lab {
    /// The program that has device and service in it.
    pub program: PathBuf,
    /// Whether wallets are on Ed25519 only.
    pub ed25519_only: bool,
    /// Where the storing method keeps its keys.
    pub store: Store,
    /// What keeps the service's key.
    pub provider: Arc<Provider>,
    /// How a custodian that keeps its halves itself behaves during the operation; none: the
    /// service keeps them.
    pub custodian: Option<Way>,
}

/// Where a storing method keeps its keys.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Store {
    /// In a folder, which loses power with the device
    #[default]
    Folder,
    /// In a double of Google Drive, which does not
    Drive,
    /// In a double of iCloud, which does not either
    Icloud,
    /// In a real keychain, whose daemon lives on when the device's process is killed
    Keychain,
}

/// One world with its programs: what happens there is as if it happened on other machines.
#[derive(Clone, Debug)]
pub struct Site<'a> {
    /// How programs are run.
    pub lab: &'a Lab,
    /// What outlasts them.
    pub world: World,
    /// Where they write what the harness reads.
    pub logs: PathBuf,
    /// What is lived there.
    pub scenario: &'a Scenario,
    /// How far the service's clock is ahead, in seconds.
    pub later: u64,
    /// How long devices keep superseded keys, in seconds.
    pub grace: u64,
    /// Whether `strace` writes down what devices do.
    pub traces_devices: bool,
    /// How the custodian behaves, if there is one.
    pub way: Way,
}

impl<'a> Site<'a> {
    /// The site with this world, which writes its logs beside it.
    ///
    /// # Errors
    ///
    /// If the folder for logs cannot be made.
    pub fn new(
        lab: &'a Lab,
        scenario: &'a Scenario,
        world: World,
        logs: PathBuf,
    ) -> io::Result<Self> {
        fs::create_dir_all(&logs)?;
        Ok(Self {
            lab,
            world,
            logs,
            scenario,
            later: 0,
            grace: GRACE_SECONDS,
            traces_devices: false,
            way: Way::Honest,
        })
    }

    /// The same world once more, elsewhere.
    ///
    /// # Errors
    ///
    /// If it cannot be copied.
    pub fn copy_to(&self, root: &Path) -> io::Result<Self> {
        let world = self.world.copy_to(&root.join("world"))?;
        let copy = Self::new(self.lab, self.scenario, world, root.join("logs"))?;
        Ok(Self { later: self.later, grace: self.grace, ..copy })
    }

    /// When the operation happens.
    #[must_use]
    pub fn at_operation(self) -> Self {
        let grace = if self.scenario.after_grace { 0 } else { self.grace };
        let way = self.lab.custodian.unwrap_or_default();
        Self { later: self.scenario.later(), grace, way, ..self }
    }

    /// How the service is started here, which asks this custodian, if there is one.
    #[must_use]
    pub fn service(&self, custodian: Option<&ServiceProcess>) -> ServiceOptions {
        let mut arguments = self.lab.provider.arguments();
        arguments.extend(["--later".into(), self.later.to_string().into()]);
        let webhook = custodian.and_then(ServiceProcess::address).map(webhook);
        arguments.extend(webhook.into_iter().flat_map(|url| ["--webhook".into(), url.into()]));
        let environment = self.lab.provider.environment();
        ServiceOptions { arguments, environment, ..self.started("service", self.world.service()) }
    }

    /// How the custodian is started, if there is one.
    #[must_use]
    pub fn custodian(&self) -> Option<ServiceOptions> {
        self.lab.custodian?;
        let way = self.way.to_possible_value().expect("none is skipped");
        let arguments = vec!["--way".into(), way.get_name().into()];
        let started = self.started("custodian", self.world.custodian());
        Some(ServiceOptions { arguments, ..started })
    }

    fn started(&self, role: &'static str, folder: PathBuf) -> ServiceOptions {
        ServiceOptions {
            program: self.lab.program.clone(),
            role,
            folder,
            logs: self.logs.clone(),
            die_at: None,
            traced: false,
            arguments: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// Starts a service that is not to die, and the custodian beside it, if there is one.
    ///
    /// # Errors
    ///
    /// If it does not start: then it is lost with all that it keeps.
    pub fn serve(&self) -> Result<(ServiceProcess, SocketAddr)> {
        let custodian = match self.custodian() {
            Some(options) => Some(started(&options)?.0),
            None => None,
        };
        let (mut service, address) = started(&self.service(custodian.as_ref()))?;
        service.custodian = custodian.map(Box::new);
        Ok((service, address))
    }

    /// Starts a step on its device.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn begin(
        &self,
        step: &Step,
        at: SocketAddr,
        death: Option<Death>,
    ) -> Result<DeviceProcess> {
        let mut arguments: Vec<OsString> = vec![
            "--folder".into(),
            self.world.new_device(step.device)?.into_os_string(),
            "--keys".into(),
            self.world.keys().into(),
            "--client".into(),
            self.world.client().into(),
            "--custodian-key".into(),
            self.world.service().join("custodian.key").into(),
            "--service".into(),
            format!("http://{at}").into(),
            "--secrets".into(),
            step.secrets.join(",").into(),
            "--grace-seconds".into(),
            self.grace.to_string().into(),
            "--store".into(),
            self.lab.store.to_possible_value().expect("none is skipped").get_name().into(),
        ];
        arguments.extend(self.lab.ed25519_only.then(|| "--ed25519-only".into()));
        arguments.extend(step.act.words());
        let log = self.effects();
        if fs::exists(&log)? {
            fs::remove_file(&log)?;
        }
        let program = if self.traces_devices {
            strace::command(&self.lab.program, &self.calls())
        } else {
            Command::new(&self.lab.program)
        };
        let keychain = (self.lab.store == Store::Keychain).then(|| self.keychain());
        DeviceProcess::start(program, &self.logs, &log, death, arguments, keychain)
    }

    /// The keychain of this world, in a session of its own.
    fn keychain(&self) -> KeyringHost {
        KeyringHost::start(&self.world.keychain(), "the login password")
    }

    /// Where the service wrote its effects.
    #[must_use]
    pub fn service_effects(&self) -> PathBuf {
        self.service(None).effects()
    }

    /// Where the last device wrote its effects.
    #[must_use]
    pub fn effects(&self) -> PathBuf {
        self.logs.join("device.effects")
    }

    /// Where the last device's system calls were written, if they were.
    #[must_use]
    pub fn calls(&self) -> PathBuf {
        self.logs.join("device.calls")
    }

    /// Takes a step.
    ///
    /// # Errors
    ///
    /// If the program fails.
    pub fn take(&self, step: &Step, at: SocketAddr, death: Option<Death>) -> Result<DeviceEnd> {
        let mut device = self.begin(step, at, death)?;
        loop {
            if let Some(end) = device.ended()? {
                return Ok(end);
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn started(options: &ServiceOptions) -> Result<(ServiceProcess, SocketAddr)> {
    let process = ServiceProcess::start(options, any_port())?;
    let errors = fs::read_to_string(options.errors())?;
    let address = process.address().with_context(|| format!("does not start: {errors}"))?;
    Ok((process, address))
}

/// The custodian's webhook there.
#[must_use]
pub fn webhook(custodian: SocketAddr) -> String {
    format!("http://{custodian}")
}
