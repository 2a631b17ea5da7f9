//! One world with its programs, and how they are run there.

use std::{
    ffi::OsString,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};

use super::{
    process::{DeviceEnd, DeviceProcess, ServiceOptions, ServiceProcess, any_port},
    recorder::Death,
    scenario::{GRACE_SECONDS, Scenario, Step},
    world::World,
};

/// The programs, and how they are run.
#[derive(Clone, Debug)]
pub struct Lab {
    /// The program that has device and service in it.
    pub program: PathBuf,
    /// Whether wallets are on Ed25519 only.
    pub ed25519_only: bool,
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
        Ok(Self { lab, world, logs, scenario, later: 0, grace: GRACE_SECONDS })
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
        Self { later: self.scenario.later(), grace, ..self }
    }

    /// How the service is started here.
    #[must_use]
    pub fn service(&self) -> ServiceOptions {
        ServiceOptions {
            program: self.lab.program.clone(),
            folder: self.world.service(),
            logs: self.logs.clone(),
            later: self.later,
            die_at: None,
            traced: false,
        }
    }

    /// Starts a service that is not to die.
    ///
    /// # Errors
    ///
    /// If it does not start: then it is lost with all that it keeps.
    pub fn serve(&self, options: &ServiceOptions) -> Result<(ServiceProcess, SocketAddr)> {
        let service = ServiceProcess::start(options, any_port())?;
        let errors = fs::read_to_string(options.errors())?;
        let address = service.address().with_context(|| format!("does not start: {errors}"))?;
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
            "--service".into(),
            format!("http://{at}").into(),
            "--secrets".into(),
            step.secrets.join(",").into(),
            "--grace-seconds".into(),
            self.grace.to_string().into(),
        ];
        arguments.extend(self.lab.ed25519_only.then(|| "--ed25519-only".into()));
        arguments.extend(step.act.words());
        fs::remove_file(self.logs.join("device.effects")).ok();
        DeviceProcess::start(&self.lab.program, &self.logs, death, arguments)
    }

    /// Takes a step, undisturbed.
    ///
    /// # Errors
    ///
    /// If the program fails.
    pub fn take(&self, step: &Step, at: SocketAddr) -> Result<DeviceEnd> {
        let mut device = self.begin(step, at, None)?;
        loop {
            if let Some(end) = device.ended()? {
                return Ok(end);
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}
