//! The PRF method, by ceremonies with a software authenticator.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod answers;
mod ceremonies;
mod conformance;
#[path = "../common/page.rs"]
mod page;
mod refusals;
mod support;
