//! Where a life is cut short, and how.

use std::fmt;

use clap::ValueEnum;

use crate::crash::recorder::Death;

/// Who dies.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
pub enum Side {
    /// The device
    Device,
    /// The service
    Service,
    /// The custodian that keeps its halves itself
    Custodian,
}

/// How it dies.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
pub enum Mode {
    /// The process is killed
    Kill,
    /// The machine loses power: what was not synced is gone
    Power,
}

/// Where a life is cut short.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Point {
    /// Who dies.
    pub side: Side,
    /// How.
    pub mode: Mode,
    /// Before which of its effects, or in the middle of it.
    pub death: Death,
    /// What the effect was in the recording run.
    pub effect: String,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { side, mode, death, effect } = self;
        let word = |value: &dyn fmt::Debug| format!("{value:?}").to_lowercase();
        write!(f, "--side {} --mode {} --point {}", word(side), word(mode), death.at)?;
        write!(f, "{} ({effect})", if death.torn { " --torn" } else { "" })
    }
}
