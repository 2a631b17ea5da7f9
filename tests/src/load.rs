//! A service under load: what becomes of its clients, its memory, its quick answers, its commits.

pub mod commits;
pub mod cycles;
pub mod quick;
pub mod recovering;

use std::time::Duration;

use clap::Args;
use tokio::runtime::Runtime;

use self::{
    Bound::{AtLeast, AtMost},
    commits::Commits,
    cycles::Cycles,
};
use crate::own_process::OwnProcess;

/// How much load, and for how long.
#[derive(Args, Clone, Copy, Debug)]
pub struct Load {
    /// How many clients at once
    #[arg(long, default_value_t = 200)]
    clients: usize,
    /// For how many minutes they go on. The bound of memory is for ten
    #[arg(long, default_value_t = 10)]
    minutes: u32,
    /// For some seconds only, to see that it works: then no times are compared with their bounds
    #[arg(long)]
    brief: bool,
}

impl Load {
    /// Loads services, one part after the other, and prints what came of it; whether every bound
    /// was kept.
    ///
    /// # Panics
    ///
    /// If there is no runtime.
    #[must_use]
    pub fn run(self) -> bool {
        let runtime = Runtime::new().expect("there is a runtime");
        runtime.block_on(async {
            let commits = self.commits().await;
            let quick = self.quick_answers().await;
            let (cycles, memory) = self.cycles().await;
            cycles && (self.brief || commits && quick && memory)
        })
    }

    async fn commits(self) -> bool {
        let Commits { ours, group, bare, bare_group } =
            commits::compare(self.clients * 50, self.clients).await;
        println!("{} callers, {group} envelopes a commit, {bare_group} a batch", self.clients);
        report("envelopes stored a second / in bare batches", ours, bare, AtLeast(0.7))
    }

    async fn quick_answers(self) -> bool {
        let service = OwnProcess::start();
        let answers = quick::beside_recoveries(&service, self.minute()).await;
        println!("{} wallets were recovered meanwhile", answers.recovered);
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        let name = "quick answers beside recoveries, 9th decile, ms / median";
        let kept = report(name, millis(answers.ninth_decile), millis(answers.median), AtMost(3.0));
        kept && answers.recovered > 0
    }

    /// Whether nothing failed, also what a client has repeated by itself, and whether the
    /// service's memory stayed within its bound.
    async fn cycles(self) -> (bool, bool) {
        let service = OwnProcess::start();
        let (first, before) = self.cycles_for(&service, self.minute()).await;
        let rest = self.minute() * self.minutes.saturating_sub(1);
        let (rest, after) = self.cycles_for(&service, rest).await;
        let all = first.and(rest);
        println!("{} clients: {all}", self.clients);
        let failures = service.own_failures().await;
        println!("answers in which the service blames itself, by status: {failures:?}");
        let name = "memory at the end, MB / after the first minute";
        let is_fine = all.is_fine() && failures.is_empty();
        (is_fine, report(name, after, before, AtMost(1.2)))
    }

    /// What became of the clients, and the service's memory towards the end, in MB: the median of
    /// a quarter of a minute, since that of one moment depends on what is being done just then.
    async fn cycles_for(self, service: &OwnProcess, time: Duration) -> (Cycles, f64) {
        let quarter = self.minute() / 4;
        let memory = async {
            tokio::time::sleep(time.saturating_sub(quarter)).await;
            let mut seen = Vec::new();
            for _ in 0..SAMPLES {
                tokio::time::sleep(quarter / SAMPLES).await;
                seen.push(service.resident_mb());
            }
            seen.sort_by(f64::total_cmp);
            seen[seen.len() / 2]
        };
        tokio::join!(Cycles::run(service, self.clients, time), memory)
    }

    const fn minute(self) -> Duration {
        if self.brief { Duration::from_secs(1) } else { Duration::from_secs(60) }
    }
}

/// How often memory is looked at in a quarter of a minute.
const SAMPLES: u32 = 15;

#[derive(Clone, Copy, Debug)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

fn report(name: &str, ours: f64, reference: f64, bound: Bound) -> bool {
    let ratio = ours / reference;
    let (is_kept, bound) = match bound {
        AtMost(most) => (ratio <= most, format!("at most {most}")),
        AtLeast(least) => (ratio >= least, format!("at least {least}")),
    };
    println!("{name:<56} {ours:>9.2} / {reference:>9.2} = {ratio:.2} ({bound})");
    is_kept
}
