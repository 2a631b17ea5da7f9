//! The command line as people and scripts use it, a module for each subject.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

mod admin;
mod custody;
mod demo;
mod garbage;
mod google_drive;
mod icloud;
mod inspect;
mod keychain;
mod memory;
mod passkey;
mod restore;
mod serve;
mod settings;
mod story;
mod terminal;
mod usage;
