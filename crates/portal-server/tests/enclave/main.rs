//! The passkey enclave in the service: what the library's own tests do not see.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod around;
mod audit;
mod backups;
mod custody;
mod keys;
mod refusals;
mod user;
