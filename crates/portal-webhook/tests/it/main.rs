//! A custodian's webhook, and what it keeps its values in.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(all(feature = "postgres", feature = "sqlite"))]
mod stores;
#[cfg(feature = "sqlite")]
mod webhook;
