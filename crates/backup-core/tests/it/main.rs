//! Shares sealed and opened, a module for each subject.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

mod parsing;
mod sealing;
mod threshold;
