#![doc = include_str!("../README.md")]
#![allow(
    clippy::missing_panics_doc,
    reason = "a rule panics when an implementation breaks it: that is how a test fails"
)]

mod client;
mod disk;
#[cfg(feature = "drive")]
pub mod drive;
mod drops;
mod expect;
#[cfg(any(feature = "drive", feature = "icloud"))]
mod fault;
mod faulty_store;
#[cfg(feature = "icloud")]
pub mod icloud;
pub mod key_encryption;
mod leaks;
mod logs;
mod memory_key;
mod memory_store;
pub mod method;
mod moto;
#[cfg(feature = "passkey")]
pub mod passkey;
mod postgres;
mod record;
mod rule;
mod secret_service;
#[cfg(any(feature = "drive", feature = "icloud"))]
mod server;
mod soft_hsm;
pub mod store;
mod user;

pub use backup_core;

#[cfg(any(feature = "drive", feature = "icloud"))]
pub use crate::fault::ServiceFault;

pub use crate::{
    client::Client,
    disk::{Disk, FileEffect, Files},
    drops::{poll_then_drop, yield_now},
    faulty_store::{Call, Fault, FaultyStore},
    key_encryption::KeyEncryptionFixture,
    leaks::Secrets,
    logs::LogCapture,
    memory_key::MemoryKey,
    memory_store::MemoryStore,
    method::Fixture,
    moto::{MOTO_CREDENTIALS, Moto},
    postgres::Postgres,
    record::{RecordingJournal, RecordingProgress},
    rule::Rule,
    secret_service::{Keyring, KeyringHost, SessionBus},
    soft_hsm::SoftHsm,
    store::StoreFixture,
    user::{PromptCounter, ScriptedUser},
};
