//! Keys in Google Drive, a module for each subject.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "../../../../tests/src/node.rs"]
#[allow(unreachable_pub, reason = "it is public in the workspace's tests")]
mod node;
#[path = "../../../../tests/src/python.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is public in the workspace's tests")]
mod python;

mod conformance;
mod device_code;
mod faults;
mod files;
mod google_client;
mod portal_files;
mod sign_in;
