//! The suites and doubles, held to what they promise.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod derived;
mod faults;
mod parts;
mod passkey;
mod postgres;
mod stored_key;
mod teeth;
mod threshold;
