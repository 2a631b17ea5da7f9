//! The PRF method, by ceremonies with a software authenticator.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod answers;
mod ceremonies;
mod conformance;
mod refusals;
mod support;
