//! Many points of many scenarios, several at a time, and what came of them.

use std::{
    collections::BTreeMap,
    env, fmt, fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::{
    custodian::Way,
    provider::{Keys, Provider},
    recorder::Death,
    safeguard::Safeguard,
    scenario::{self, Scenario},
    site::{Lab, Store},
    sweep::{Mode, Outcome, Point, Prepared, Side},
};

/// What is to be tried: everything, unless it says otherwise.
#[derive(Args, Clone, Debug)]
pub struct Campaign {
    /// These scenarios only
    #[arg(long)]
    pub scenario: Vec<String>,
    /// Deaths of this side only
    #[arg(long)]
    pub side: Option<Side>,
    /// Deaths of this kind only
    #[arg(long)]
    pub mode: Option<Mode>,
    /// The effect of this number only
    #[arg(long)]
    pub point: Option<usize>,
    /// Deaths in the middle of a write only
    #[arg(long)]
    pub torn: bool,
    /// Every so manieth point only
    #[arg(long, default_value_t = 1)]
    pub every: usize,
    /// Wallets on Ed25519 only, which is faster
    #[arg(long)]
    pub ed25519_only: bool,
    /// Where the storing method keeps its keys; elsewhere than in a folder, only a kill is tried
    #[arg(long, value_enum, default_value_t)]
    pub store: Store,
    /// What the service's key is in; elsewhere than in a file, only a kill is tried
    #[arg(long, value_enum, default_value_t)]
    pub keys: Keys,
    /// Have the halves with a custodian that behaves like this during the operation; without, the
    /// service keeps them. Only a kill is tried, of the custodian too
    #[arg(long, value_enum)]
    pub custodian: Option<Way>,
    /// How many points at a time
    #[arg(long, default_value_t = 2)]
    pub jobs: usize,
    /// Take a safeguard away: then wallets are lost
    #[arg(long)]
    pub without: Option<Safeguard>,
    /// Have a device that died die once more, at each point of finishing what was interrupted
    #[arg(long)]
    pub twice: bool,
    /// Leave the worlds here
    #[arg(long)]
    pub keep: Option<PathBuf>,
}

impl Default for Campaign {
    /// Everything, one point after the other.
    fn default() -> Self {
        Self {
            scenario: Vec::new(),
            side: None,
            mode: None,
            point: None,
            torn: false,
            every: 1,
            ed25519_only: false,
            store: Store::Folder,
            keys: Keys::File,
            custodian: None,
            jobs: 1,
            without: None,
            twice: false,
            keep: None,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many points were tried.
    pub points: usize,
    /// How many worlds were checked: a loss of power may leave one of several.
    pub worlds: usize,
    /// At how many points a wallet was lost.
    pub lost: usize,
    /// At how many the user was told what is not true.
    pub false_words: usize,
    /// At how many the user cannot go on.
    pub stuck: usize,
}

impl Report {
    /// Whether no crash lost a wallet, nor did any other harm.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.lost == 0 && self.false_words == 0 && self.stuck == 0
    }

    fn add(&mut self, outcome: &Outcome) {
        self.points += 1;
        self.worlds += outcome.worlds;
        self.lost += usize::from(!outcome.verdict.lost.is_empty());
        self.false_words += usize::from(!outcome.verdict.false_words.is_empty());
        self.stuck += usize::from(!outcome.verdict.stuck.is_empty());
    }
}

impl Campaign {
    /// Tries everything, and prints what goes wrong and how it ended.
    ///
    /// # Errors
    ///
    /// If the harness itself fails.
    pub fn run(&self) -> Result<Report> {
        self.run_with(&env::current_exe()?)
    }

    /// The same, with this program as device and service.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run).
    pub fn run_with(&self, program: &Path) -> Result<Report> {
        let (ed25519_only, store, custodian) = (self.ed25519_only, self.store, self.custodian);
        let provider = Arc::new(Provider::start(self.keys));
        let lab = Lab { program: program.to_owned(), ed25519_only, store, provider, custodian };
        let temporary = tempfile::tempdir()?;
        let folder = self.keep.as_deref().unwrap_or(temporary.path());
        fs::create_dir_all(folder)?;
        // As the kernel names it, since that is what is compared.
        let folder = folder.canonicalize()?;
        let scenarios = self.scenarios()?;
        let prepared = in_parallel(self.jobs, &scenarios, |_, scenario| {
            let folder = folder.join(scenario.name);
            Prepared::new(&lab, scenario, self.without, self.twice, &folder)
                .with_context(|| format!("preparing {}", scenario.name))
        })?;
        let points = prepared.iter().flat_map(|prepared| {
            self.points(prepared).into_iter().map(move |point| (prepared, point))
        });
        let points: Vec<_> =
            points.enumerate().filter(|(n, _)| n % self.every.max(1) == 0).collect();
        let outcomes = in_parallel(self.jobs, &points, |worker, (_, (prepared, point))| {
            let folder = folder.join(format!("worker-{worker}"));
            let outcome = prepared.try_point(point, &folder);
            let outcome = outcome.with_context(|| format!("{} {point}", prepared.name()))?;
            tell(prepared.name(), &outcome);
            Ok((prepared.name(), outcome))
        })?;
        Ok(summed_up(&outcomes))
    }

    fn scenarios(&self) -> Result<Vec<Scenario>> {
        let mut all = scenario::all();
        let is_unknown = |name: &&String| !all.iter().any(|scenario| scenario.name == **name);
        if let Some(name) = self.scenario.iter().find(is_unknown) {
            let names: Vec<_> = all.iter().map(|scenario| scenario.name).collect();
            bail!("no scenario is called {name}; there are: {}", names.join(", "));
        }
        let is_wanted = |name: &str| self.scenario.iter().any(|wanted| wanted == name);
        all.retain(|scenario| self.scenario.is_empty() || is_wanted(scenario.name));
        // Before the first start nobody has a webhook.
        all.retain(|scenario| self.custodian.is_none() || !scenario.before.is_empty());
        Ok(all)
    }

    fn points(&self, prepared: &Prepared<'_>) -> Vec<Point> {
        let keeps_all = self.store == Store::Folder && self.keys == Keys::File;
        let modes: &[Mode] = match keeps_all && self.custodian.is_none() {
            true => &[Mode::Kill, Mode::Power],
            false => &[Mode::Kill],
        };
        let modes = modes.iter().copied().filter(|mode| self.mode.is_none_or(|only| only == *mode));
        let mut points: Vec<_> = modes.flat_map(|mode| prepared.points(mode)).collect();
        points.retain(|Point { side, death: Death { at, torn }, .. }| {
            self.side.is_none_or(|only| only == *side)
                && self.point.is_none_or(|only| only == *at)
                && (!self.torn || *torn)
        });
        points
    }
}

fn tell(scenario: &str, outcome: &Outcome) {
    let Outcome { point, verdict, again, .. } = outcome;
    let again = again.map_or_else(String::new, |death| format!(", and again at {}", death.at));
    let kinds =
        [("LOST", &verdict.lost), ("FALSE", &verdict.false_words), ("STUCK", &verdict.stuck)];
    for (kind, all) in kinds {
        all.iter().for_each(|what| println!("{kind} --scenario {scenario} {point}{again}: {what}"));
    }
}

fn summed_up(outcomes: &[(&str, Outcome)]) -> Report {
    let mut by_scenario = BTreeMap::<_, Report>::new();
    let mut all = Report::default();
    for (scenario, outcome) in outcomes {
        by_scenario.entry(scenario).or_default().add(outcome);
        all.add(outcome);
    }
    for (scenario, report) in by_scenario {
        println!("{scenario:<20} {report}");
    }
    println!("\n{all}");
    all
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "points tried: {:>4}, worlds checked: {:>5}, wallets lost: {}, false words: {}, \
             stuck: {}",
            self.points, self.worlds, self.lost, self.false_words, self.stuck
        )
    }
}

/// Does something with each item, several at a time; each worker has its number. The results are
/// in order.
fn in_parallel<'a, T: Sync, R: Send>(
    jobs: usize,
    items: &'a [T],
    job: impl Fn(usize, &'a T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for worker in 0..jobs.max(1) {
            let (next, results, job) = (&next, &results, &job);
            scope.spawn(move || {
                while let Some((number, item)) = take(next, items) {
                    let result = job(worker, item);
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    results.push((number, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

fn take<'a, T>(next: &AtomicUsize, items: &'a [T]) -> Option<(usize, &'a T)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    Some((number, items.get(number)?))
}
