#![doc = include_str!("../README.md")]
#![allow(
    clippy::missing_panics_doc,
    reason = "a rule panics when an implementation breaks it: that is how a test fails"
)]

mod client;
mod drops;
mod expect;
mod leaks;
mod logs;
mod memory_store;
pub mod method;
mod record;
mod rule;
mod user;

pub use backup_core;

pub use crate::{
    client::Client,
    drops::{poll_then_drop, yield_now},
    leaks::Secrets,
    logs::LogCapture,
    memory_store::MemoryStore,
    method::Fixture,
    record::{RecordingJournal, RecordingProgress},
    rule::Rule,
    user::{PromptCounter, ScriptedUser},
};
