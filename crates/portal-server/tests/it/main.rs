//! The service as its clients see it, a module for each subject.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "modules of a test are reached by nobody else")]

mod common;
mod wallet;
mod wire;

mod backups;
mod commits_at_once;
mod compat;
mod custody;
#[cfg(feature = "enclave")]
mod enclave;
mod envelopes;
mod keys;
mod logs;
mod operation;
mod requests;
mod sessions;
mod start;
