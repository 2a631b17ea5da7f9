//! Keys in iCloud, a module for each subject.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "../../../../tests/src/node.rs"]
#[allow(unreachable_pub, reason = "it is public in the workspace's tests")]
mod node;

mod browser;
mod conformance;
mod faults;
mod records;
mod sign_in;
mod tokens;
