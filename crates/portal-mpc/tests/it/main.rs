//! Two parties and what may go wrong between them, a module for each subject.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

mod address;
mod checks;
mod confirm;
mod erasure;
mod hostile;
mod vectors;
mod wallet;
