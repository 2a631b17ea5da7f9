//! The service and the custodian while one of them dies.

use std::{fs, net::SocketAddr};

use anyhow::{Context as _, Result, bail};
use backup_testkit::Disk;

use super::{Mode, Point, Prepared, Side};
use crate::crash::{
    power,
    process::{ServiceProcess, any_port},
    safeguard::Owner,
    site::Site,
    strace, world,
};

/// A service, and a custodian if there is one, of which one dies once, and comes back at the same
/// address.
pub(super) struct Mortal<'a> {
    prepared: &'a Prepared<'a>,
    site: &'a Site<'a>,
    power: bool,
    variant: usize,
    custodian: Option<ServiceProcess>,
    process: Option<ServiceProcess>,
    pub(super) address: SocketAddr,
    has_died: bool,
    pub(super) more: bool,
    pub(super) nothing_more: bool,
}

impl<'a> Mortal<'a> {
    pub(super) fn start(
        prepared: &'a Prepared<'a>,
        site: &'a Site<'a>,
        point: &Point,
        variant: usize,
    ) -> Result<Self> {
        let dies = point.side == Side::Service;
        let custodian = match site.custodian() {
            Some(mut options) => {
                options.die_at = (point.side == Side::Custodian).then_some(point.death.at);
                Some(ServiceProcess::start(&options, any_port())?)
            }
            None => None,
        };
        let mut options = site.service(custodian.as_ref());
        options.die_at = dies.then_some(point.death.at);
        options.traced = dies && point.mode == Mode::Power;
        let process = ServiceProcess::start(&options, any_port())?;
        let address = process.address();
        let mut mortal = Self {
            prepared,
            site,
            power: options.traced,
            variant,
            custodian,
            process: Some(process),
            address: address.unwrap_or_else(any_port),
            has_died: false,
            more: false,
            nothing_more: false,
        };
        if address.is_none() {
            if !dies {
                bail!("the service does not start: {}", fs::read_to_string(options.errors())?);
            }
            mortal.revive()?;
        }
        Ok(mortal)
    }

    pub(super) fn revive_who_is_dead(&mut self) -> Result<()> {
        if self.custodian.as_mut().map_or(Ok(false), ServiceProcess::is_dead)? {
            self.revive_custodian()?;
        }
        let is_dead = self.process.as_mut().map_or(Ok(true), ServiceProcess::is_dead)?;
        if is_dead { self.revive() } else { Ok(()) }
    }

    fn revive_custodian(&mut self) -> Result<()> {
        let at = self.custodian.take().and_then(|custodian| custodian.address());
        let (at, options) = at.zip(self.site.custodian()).context("there is no custodian")?;
        let custodian = ServiceProcess::start(&options, at)?;
        custodian.address().context("the custodian does not restart")?;
        self.custodian = Some(custodian);
        Ok(())
    }

    fn revive(&mut self) -> Result<()> {
        self.process = None;
        if self.has_died {
            bail!("the service died twice");
        }
        self.has_died = true;
        if self.power {
            self.lose_power()?;
        }
        let options = self.site.service(self.custodian.as_ref());
        let process = ServiceProcess::start(&options, self.address)?;
        let errors = fs::read_to_string(options.errors())?;
        self.address = process.address().with_context(|| format!("does not restart: {errors}"))?;
        self.process = Some(process);
        Ok(())
    }

    /// Leaves the disk in one of the states in which a kill alone does not leave it.
    fn lose_power(&mut self) -> Result<()> {
        let (folder, options) = (self.site.world.service(), self.site.service(None));
        let calls = fs::read_to_string(options.calls())?;
        let before = world::files(&self.prepared.world.service())?;
        let mut disk = Disk::holding(before.clone());
        let seen = strace::replay(&calls, &folder, &options.effects(), &mut disk)?;
        let without = self.prepared.without;
        let disks = power::since_marker(before, &seen, |effect| {
            without.is_none_or(|without| without.lets(Owner::Service, effect))
        });
        self.more = self.variant + 1 < disks.len();
        match disks.get(self.variant) {
            Some(files) => Ok(world::replace_files(&folder, files)?),
            None => {
                self.nothing_more = true;
                Ok(())
            }
        }
    }

    /// Kills it.
    pub(super) fn end(&mut self) -> Result<()> {
        self.process.take().map_or(Ok(()), ServiceProcess::kill)
    }
}
