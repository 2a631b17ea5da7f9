//! A device, a module for each subject.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "modules of a test are reached by nobody else")]

#[allow(dead_code, reason = "an example makes vectors with the rest")]
mod sample;

mod crash;
mod device;
mod golden;
