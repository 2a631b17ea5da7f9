//! The password method from outside, as an app uses it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod executors;
mod rules;
mod support;
