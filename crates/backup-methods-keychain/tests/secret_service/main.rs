//! The keychain method over a real Secret Service, which the tests start themselves.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod executors;
mod races;
mod service;
mod support;
