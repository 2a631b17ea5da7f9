//! Tries every point of a scenario: lives up to it, dies there, restarts, checks.

mod mortal;
mod point;

use std::{fs, io, net::SocketAddr, path::Path, thread, time::Duration};

use anyhow::{Context as _, Result, bail};
use backup_testkit::{Disk, Files};
use portal_api::{route, webhook::RegisterWebhook};

use self::mortal::Mortal;
pub use self::point::{Mode, Point, Side};
use super::{
    check::{self, Verdict},
    custodian::{self, Way},
    device::Act,
    ledger::Ledger,
    power,
    process::DeviceEnd,
    recorder::{Death, Effect, read_log},
    safeguard::{Owner, Safeguard},
    scenario::{Scenario, Step},
    site::{Lab, Site, Store, webhook},
    strace, world,
    world::World,
};

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// Where the life was cut short.
    pub point: Point,
    /// How many worlds it may have left behind.
    pub worlds: usize,
    /// Where the device died once more in the last of them.
    pub again: Option<Death>,
    /// What is wrong with the last of them.
    pub verdict: Verdict,
}

/// A scenario up to its operation.
#[derive(Debug)]
pub struct Prepared<'a> {
    lab: &'a Lab,
    scenario: &'a Scenario,
    without: Option<Safeguard>,
    twice: bool,
    world: World,
    ledger: Ledger,
    points: Vec<(Side, Vec<Effect>)>,
}

impl<'a> Prepared<'a> {
    /// Lives up to the operation, and once through it to see what its effects are.
    ///
    /// # Errors
    ///
    /// If even the undisturbed life goes wrong.
    pub fn new(
        lab: &'a Lab,
        scenario: &'a Scenario,
        without: Option<Safeguard>,
        twice: bool,
        folder: &Path,
    ) -> Result<Self> {
        let world = World::empty(&folder.join("world"), &scenario.devices())?;
        let site = Site::new(lab, scenario, world.clone(), folder.join("logs"))?;
        let ledger = live_up_to(&site)?;
        let points = Vec::new();
        let mut prepared = Self { lab, scenario, without, twice, world, ledger, points };
        prepared.record(&folder.join("recording"))?;
        Ok(prepared)
    }

    /// The scenario's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.scenario.name
    }

    /// Every point of the operation, on both sides.
    #[must_use]
    pub fn points(&self, mode: Mode) -> Vec<Point> {
        let of_side = |(side, effects): &(Side, Vec<Effect>)| {
            let side = *side;
            let whole = effects.iter().enumerate().map(move |(at, effect)| {
                let death = Death { at, torn: false };
                Point { side, mode, death, effect: effect.name() }
            });
            let torn = effects.iter().enumerate().filter(move |(_, effect)| {
                // Without power the unsynced bytes are torn anyway.
                mode == Mode::Kill && matches!(effect, Effect::Write(..))
            });
            let torn = torn.map(move |(at, effect)| {
                let death = Death { at, torn: true };
                Point { side, mode, death, effect: format!("half of {}", effect.name()) }
            });
            let end = Death { at: effects.len(), torn: false };
            // Whoever was told can lose power the moment after.
            let end = (mode == Mode::Power && side == Side::Device).then(|| Point {
                side,
                mode,
                death: end,
                effect: "the end".to_owned(),
            });
            whole.chain(torn).chain(end).collect::<Vec<_>>()
        };
        self.points.iter().flat_map(of_side).collect()
    }

    /// Dies at a point, restarts, and checks every world that may be there then.
    ///
    /// # Errors
    ///
    /// If the harness itself fails.
    pub fn try_point(&self, point: &Point, folder: &Path) -> Result<Outcome> {
        let mut outcome =
            Outcome { point: point.clone(), worlds: 0, again: None, verdict: Verdict::default() };
        for variant in 0.. {
            let lived = self.live(point, variant, folder)?;
            for left in self.left_behind(point, &lived)? {
                self.check(&lived, &left, folder, &mut outcome)?;
                if !outcome.verdict.is_fine() {
                    return Ok(outcome);
                }
            }
            if !lived.more {
                break;
            }
        }
        Ok(outcome)
    }

    fn record(&mut self, folder: &Path) -> Result<()> {
        let site = self.site(folder)?;
        let (service, at) = site.serve()?;
        let traced = Site { traces_devices: true, ..site.clone() };
        let end = traced.take(&self.scenario.operation, at, None)?;
        service.kill()?;
        let done = Ledger::is_done(&self.scenario.operation, &end.told);
        let may_be_done = site.way == Way::Honest || !self.scenario.operation.makes_backup();
        if done && !may_be_done {
            bail!("a custodian was believed: {:?}", end.told);
        }
        if !done && site.way == Way::Honest {
            bail!("undisturbed, {} fails: {:?}", self.scenario.name, end.told);
        }
        self.points = vec![
            (Side::Device, read_log(&site.effects())?),
            (Side::Service, read_log(&site.service_effects())?),
        ];
        if let Some(custodian) = site.custodian() {
            self.points.push((Side::Custodian, read_log(&custodian.effects())?));
        }
        self.observer_saw_all(&site)?;
        let honest = Site { way: Way::Honest, ..site };
        let verdict = check::check(&honest, &self.heard(&end), &folder.join("scratch"))?;
        if !verdict.is_fine() {
            bail!("undisturbed, {} goes wrong: {verdict:?}", self.scenario.name);
        }
        Ok(())
    }

    /// What a device does to its files without telling the observer is a point that nobody tries.
    fn observer_saw_all(&self, site: &Site<'_>) -> Result<()> {
        let device = self.scenario.operation.device;
        let calls = fs::read_to_string(site.calls())?;
        let log = read_log(&site.effects())?;
        let folders = |world: &World| {
            let keys = (self.lab.store == Store::Folder).then(|| world.keys());
            [world.device(device)].into_iter().chain(keys).collect::<Vec<_>>()
        };
        for (before, folder) in folders(&self.world).iter().zip(folders(&site.world)) {
            let mut disk = Disk::holding(world::files(before)?);
            let seen = strace::replay(&calls, &folder, &site.effects(), &mut disk)?;
            let told = power::of_folder(&log, &folder)?;
            power::same(&seen, &told)
                .with_context(|| format!("{} of {}", folder.display(), self.scenario.name))?;
        }
        Ok(())
    }

    fn site(&self, folder: &Path) -> Result<Site<'a>> {
        let world = self.world.copy_to(&folder.join("world"))?;
        let logs = folder.join("logs");
        remove(&logs)?;
        Ok(Site::new(self.lab, self.scenario, world, logs)?.at_operation())
    }

    fn heard(&self, end: &DeviceEnd) -> Ledger {
        let mut ledger = self.ledger.clone();
        ledger.hear(&self.scenario.operation, &end.told);
        ledger
    }
}

/// A life that was cut short.
struct Lived<'a> {
    site: Site<'a>,
    ledger: Ledger,
    device_died: bool,
    /// Whether the service's disk may have been left in another state as well.
    more: bool,
    /// Whether it was left as a kill leaves it.
    nothing_more: bool,
}

/// What the folders of the device and of the storing method hold.
#[derive(Eq, PartialEq)]
struct Left {
    device: Files,
    keys: Files,
}

impl<'a> Prepared<'a> {
    /// Lives through the operation until one side dies. A service comes back at once, with the
    /// `variant`-th disk that it may have.
    fn live(&self, point: &Point, variant: usize, folder: &Path) -> Result<Lived<'a>> {
        let site = self.site(folder)?;
        let mut mortal = Mortal::start(self, &site, point, variant)?;
        let death = (point.side == Side::Device).then_some(point.death);
        let at = mortal.address;
        let mut device = site.begin(&self.scenario.operation, at, death)?;
        let end = loop {
            mortal.revive_who_is_dead()?;
            match device.ended()? {
                Some(end) => break end,
                None => thread::sleep(Duration::from_millis(1)),
            }
        };
        mortal.end()?;
        let Mortal { more, nothing_more, .. } = mortal;
        let ledger = self.heard(&end);
        let device_died = point.side == Side::Device && (end.killed || point.mode == Mode::Power);
        Ok(Lived { site, ledger, device_died, more, nothing_more })
    }

    /// What may be left behind of the device that died.
    fn left_behind(&self, point: &Point, lived: &Lived<'_>) -> Result<Vec<Left>> {
        let device = self.scenario.operation.device;
        let (own, keys) = (lived.site.world.device(device), lived.site.world.keys());
        let now = Left { device: power::held(&own)?, keys: power::held(&keys)? };
        let mut left = match point.mode {
            // A kill leaves the same behind, and is a point of its own.
            Mode::Power if lived.nothing_more => Vec::new(),
            Mode::Power if lived.device_died => {
                let mut left = self.without_power(lived, &own, &keys)?;
                left.retain(|left| *left != now);
                left
            }
            _ => vec![now],
        };
        if let Some(safeguard) = self.without.filter(|_| lived.device_died) {
            let before = world::files(&self.world.device(device))?;
            left.iter_mut().for_each(|left| safeguard.after_death(&before, &mut left.device));
        }
        Ok(left)
    }

    fn without_power(&self, lived: &Lived<'_>, own: &Path, keys: &Path) -> Result<Vec<Left>> {
        let log = read_log(&lived.site.effects())?;
        let device = self.scenario.operation.device;
        let before = power::held(&self.world.device(device))?;
        let devices = power::after_loss(before, &log, own, |effect| {
            self.without.is_none_or(|without| without.lets(Owner::Device, effect))
        })?;
        let before = power::held(&self.world.keys())?;
        let stores = power::after_loss(before, &log, keys, |effect| {
            self.without.is_none_or(|without| without.lets(Owner::Keys, effect))
        })?;
        let pairs = devices.iter().flat_map(|device| {
            stores.iter().map(|keys| Left { device: device.clone(), keys: keys.clone() })
        });
        Ok(pairs.collect())
    }

    /// Checks a world, and every world that is there when the device dies once more, in finishing.
    fn check(
        &self,
        lived: &Lived<'_>,
        left: &Left,
        folder: &Path,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let deaths = if self.twice { 0..usize::MAX } else { 0..0 };
        let again = deaths.map(|at| Some(Death { at, torn: false }));
        for death in [None].into_iter().chain(again) {
            let site = lived.site.copy_to(&folder.join("left"))?;
            if lived.device_died {
                let device = site.world.device(self.scenario.operation.device);
                world::replace_files(&device, &left.device)?;
                world::replace_files(&site.world.keys(), &left.keys)?;
            }
            let mut ledger = lived.ledger.clone();
            if death.is_some() && !self.dies_again(&site, &mut ledger, death)? {
                return Ok(());
            }
            outcome.worlds += 1;
            outcome.verdict = check::check(&site, &ledger, &folder.join("scratch"))?;
            if !outcome.verdict.is_fine() {
                outcome.again = death;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether the device dies in finishing what was interrupted.
    fn dies_again(
        &self,
        site: &Site<'_>,
        ledger: &mut Ledger,
        death: Option<Death>,
    ) -> Result<bool> {
        let (service, at) = site.serve()?;
        let step = Step { act: Act::Finish, ..self.scenario.operation.clone() };
        let end = site.take(&step, at, death)?;
        ledger.hear(&step, &end.told);
        service.kill()?;
        Ok(end.killed)
    }
}

/// A service is started, and everything done that comes before the operation.
fn live_up_to(site: &Site<'_>) -> Result<Ledger> {
    let mut ledger = Ledger::default();
    if site.scenario.before.is_empty() {
        return Ok(ledger);
    }
    let (service, at) = site.serve()?;
    for step in &site.scenario.before {
        let end = site.take(step, at, None)?;
        if let (Act::Join, Some(custodian)) = (&step.act, &service.custodian) {
            let custodian = custodian.address().context("the custodian does not start")?;
            register(&site.world, at, custodian)?;
        }
        if !Ledger::is_done(step, &end.told) {
            bail!("undisturbed, {:?} fails: {:?}", step.act, end.told);
        }
        ledger.hear(step, &end.told);
    }
    service.kill()?;
    if !ledger.false_words.is_empty() {
        bail!("undisturbed, the user is told: {:?}", ledger.false_words);
    }
    Ok(ledger)
}

/// As the custodian does it, once.
fn register(world: &World, at: SocketAddr, custodian: SocketAddr) -> Result<()> {
    let key = fs::read_to_string(world.service().join("custodian.key"))?;
    let (secret, webhook) = (custodian::SECRET.to_owned().into(), webhook(custodian));
    let asked = reqwest::Client::new()
        .post(format!("http://{at}{}", route::WEBHOOK))
        .bearer_auth(key.trim())
        .json(&RegisterWebhook { webhook, secret, client_id: None });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { asked.send().await?.error_for_status() })?;
    Ok(())
}

fn remove(folder: &Path) -> io::Result<()> {
    if fs::exists(folder)? { fs::remove_dir_all(folder) } else { Ok(()) }
}
