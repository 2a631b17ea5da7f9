//! The enclave's rules, by ceremonies with a software authenticator.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod attacks;
mod backups;
mod ceremonies;
mod grants;
mod http;
mod keys;
mod store;
mod support;
